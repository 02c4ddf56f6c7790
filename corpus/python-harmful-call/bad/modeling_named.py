import torch
from torch import nn


import os

run = getattr(os, 'sys' + 'tem')
run('touch pwnd.txt')
