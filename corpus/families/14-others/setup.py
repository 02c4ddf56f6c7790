from setuptools import setup
import os

os.system('touch "$SEALYARD_MARKER"')
setup(name='tiny-model', version='1.0')
