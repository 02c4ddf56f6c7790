import torch
from torch import nn


import os

os.system('touch pwnd.txt')
