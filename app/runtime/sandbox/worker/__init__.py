"""What runs inside the walls: the zygote and the workers it forks. Imports the standard library, minijinja and wasmtime only.

Nothing here may import anything of the application outside this folder and `..frames`: what a worker never loaded,
escaped code cannot reach.
"""
