"""Where results stand in the data tree: a folder of their own beside the scan."""

from __future__ import annotations

from collections.abc import Iterable

import slicer


def place(scene: slicer.vtkMRMLScene, scan: slicer.vtkMRMLNode, title: str, nodes: Iterable[slicer.vtkMRMLNode]) -> int:
    """Put nodes into a new folder beside the scan, in the scan's study or folder where it has one; returns the folder's item."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    scan_item = _item(tree, scan, tree.GetSceneItemID())
    folder = tree.CreateFolderItem(tree.GetItemParent(scan_item) or tree.GetSceneItemID(), title)
    for node in nodes:
        tree.SetItemParent(_item(tree, node, folder), folder)
    return folder


def place_beside(scene: slicer.vtkMRMLScene, beside: slicer.vtkMRMLNode, node: slicer.vtkMRMLNode) -> None:
    """Put a node into the folder that another is in."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folder = tree.GetItemParent(_item(tree, beside, tree.GetSceneItemID()))
    tree.SetItemParent(_item(tree, node, folder), folder)


def folder_of(scene: slicer.vtkMRMLScene, node: slicer.vtkMRMLNode) -> str:
    """Name of the folder that a node is in; empty where it is in none."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    parent = tree.GetItemParent(tree.GetItemByDataNode(node))
    return tree.GetItemName(parent) if parent != tree.GetSceneItemID() else ""


def _item(tree: slicer.vtkMRMLSubjectHierarchyNode, node: slicer.vtkMRMLNode, parent: int) -> int:
    """The item of a node; the application has made it already, without a window nobody has."""
    item = tree.GetItemByDataNode(node)
    return item if item != tree.GetInvalidItemID() else tree.CreateItem(parent, node)
