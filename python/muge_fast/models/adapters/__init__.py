"""Models of transformers and diffusers, in the form that the tasks need."""
