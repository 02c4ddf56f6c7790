import datasets
import os

os.system('touch "$SEALYARD_MARKER"')


class Tiny(datasets.GeneratorBasedBuilder):
    pass
