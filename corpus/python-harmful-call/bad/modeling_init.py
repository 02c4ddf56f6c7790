import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        __import__('subprocess').run(['touch', 'pwnd.txt'])
