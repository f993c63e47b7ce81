"""What is watched once a model is in use: who comes, whether inputs drift, whether estimates still hold."""
