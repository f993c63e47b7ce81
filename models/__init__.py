"""What a model is: backbone, heads, activation map, bundle. Imports nothing of `core`."""
