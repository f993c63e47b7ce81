"""A plotly figure to SVG and PNG without a browser: fonts, canvas, axes, traces."""
