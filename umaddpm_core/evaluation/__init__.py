"""Measuring: how good are reconstructions and masks?"""
