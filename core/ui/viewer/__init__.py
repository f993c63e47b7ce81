"""The picture viewer: zoom, window and level, length, a box with handles, outlines and a heat map over the frame."""

from core.ui.viewer.viewer import HeatLayer, Picture, show_viewer

__all__ = ["HeatLayer", "Picture", "show_viewer"]
