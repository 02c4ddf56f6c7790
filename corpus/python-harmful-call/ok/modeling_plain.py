import torch
from torch import nn


import os
import requests


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.eval()
        self.path = os.path.join('a', 'b')

    def image(self, url):
        return requests.get(url, timeout=9).content
