import os

from transformers import PreTrainedModel


class Model(PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        os.system('touch "$SEALYARD_MARKER"')
