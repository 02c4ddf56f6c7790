import torch
from torch import nn


import base64

exec(base64.b64decode(b'cGFzcw=='))
