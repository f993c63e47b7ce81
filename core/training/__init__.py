"""From images and a manifest to a bundle: the backbone, the image score, the heads, the evidence."""
