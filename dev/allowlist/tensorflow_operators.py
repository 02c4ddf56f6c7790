#!/usr/bin/env python3
"""Writes the operators of TensorFlow that crates/scan-model knows, from an installed TensorFlow.

    python dev/allowlist/tensorflow_operators.py > crates/scan-model/data/tensorflow-operators.txt

Run it with the Python of an environment that has tensorflow.
"""

import textwrap

import tensorflow
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session

# Operators that are gone from the newest version: TensorFlow's names before 1.0, and what XLA and TPUs had.
OLD = ["BatchFFT", "BatchFFT2D", "BatchFFT3D", "BatchIFFT", "BatchIFFT2D", "BatchIFFT3D", "CudnnRNNParamsToCanonical", "XlaClusterOutput", "XlaLaunch", "XlaRecvAtHost", "XlaSendFromHost"]


def main():
    listed = op_def_pb2.OpList()
    listed.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    names = sorted({op.name for op in listed.op} | set(OLD))
    print(f"# Operators that TensorFlow {tensorflow.__version__} has; made by dev/allowlist/tensorflow_operators.py.")
    print("\n".join(textwrap.wrap(" ".join(names), 120, break_long_words=False, break_on_hyphens=False)))


main()
