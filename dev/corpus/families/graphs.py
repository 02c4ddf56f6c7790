"""Graph formats: ONNX, TFLite, CoreML, OpenVINO, PMML."""

import json

import flatbuffers

from archives import zipped
from families import COMMAND, MARKER, Case
from families.libraries import PICKLED
from families.wire import message

NAME = "graphs"
ABOUT = "ONNX, TFLite, CoreML, OpenVINO, PMML"
TENSOR = 5


def attribute(name, value, kind):
    """An AttributeProto: kind 2 integer, 3 text, 4 tensor, 5 graph."""
    return message((1, name), ({2: 3, 3: 4, 4: 5, 5: 6}[kind], value), (20, kind))


def external(location, name="weight", **more):
    """A TensorProto whose data lies in another file."""
    entries = [(13, message((1, key), (2, value))) for key, value in {"location": location, **more}.items()]
    return message((1, 4), (2, 1), (8, name), *entries, (14, 1))


def node(op, inputs=("x",), outputs=("y",), domain="", attributes=()):
    return message(*((1, one) for one in inputs), *((2, one) for one in outputs), (3, "n"), (4, op), *((5, one) for one in attributes), *([(7, domain)] if domain else []))


def value(name):
    return message((1, name), (2, message((1, message((1, 1), (2, message((1, message((1, 4))))))))))


def onnx_graph(nodes=(), initializers=(), more=()):
    return message(*((1, one) for one in nodes or [node("Relu")]), (2, "g"), *((5, one) for one in initializers), (11, value("x")), (12, value("y")), *more)


def onnx(graph=None, domains=(), more=()):
    opsets = [(8, message((1, domain), (2, 1))) for domain in domains]
    return message((1, 8), (2, "sealyard"), (7, graph or onnx_graph()), (8, message((2, 17))), *opsets, *more)


def onnx_cases():
    outside = "../../../../etc/passwd"
    sub = onnx_graph(initializers=[external(outside)])
    branch = node("If", attributes=[attribute("then_branch", sub, 5), attribute("else_branch", onnx_graph(), 5)])
    constant = node("Constant", inputs=(), attributes=[attribute("value", external(outside), 4)])
    sparse = (15, message((1, external(outside)), (2, external("indices.bin", "i")), (3, 4)))
    function = (25, message((1, "Run"), (4, "x"), (5, "y"), (7, constant), (10, "local")))
    with_tensor = lambda location, **more: onnx(onnx_graph(initializers=[external(location, **more)]))  # noqa: E731
    custom = lambda domain, op, **more: onnx(onnx_graph([node(op, domain=domain, **more)]), [domain])  # noqa: E731
    return {
        "external-parent.onnx": with_tensor(outside),
        "external-absolute.onnx": with_tensor("/etc/passwd", offset="0", length="16"),
        "external-windows.onnx": with_tensor("C:\\Windows\\win.ini"),
        "external-backslashes.onnx": with_tensor("..\\..\\secrets.txt"),
        "external-share.onnx": with_tensor("\\\\127.0.0.1\\share\\w.bin"),
        "external-url.onnx": with_tensor("file:///etc/passwd"),
        "external-inner-parent.onnx": with_tensor("weights/../../../.ssh/id_rsa"),
        "external-dot.onnx": with_tensor("./.././../w.bin"),
        "external-null.onnx": with_tensor("w.bin\x00/../../etc/passwd"),
        "external-home.onnx": with_tensor("~/.aws/credentials"),
        "external-proc.onnx": with_tensor("/proc/self/environ"),
        "external-device.onnx": with_tensor("/dev/zero", length="99999999999"),
        "external-later.onnx": onnx(onnx_graph(initializers=[external("w.bin"), external("w.bin", "b"), external(outside, "c")])),
        "external-twice.onnx": onnx(onnx_graph(initializers=[message((1, 4), (2, 1), (8, "w"), (13, message((1, "location"), (2, "w.bin"))), (13, message((1, "location"), (2, outside))), (14, 1))])),
        "external-in-branch.onnx": onnx(onnx_graph([branch])),
        "external-in-constant.onnx": onnx(onnx_graph([constant])),
        "external-sparse.onnx": onnx(onnx_graph(more=[sparse])),
        "external-in-function.onnx": onnx(onnx_graph([node("Run", domain="local")]), ["local"], [function]),
        "external-in-training.onnx": onnx(more=[(20, message((2, onnx_graph(initializers=[external(outside)]))))]),
        "python-op.onnx": custom("com.microsoft", "PythonOp", attributes=[attribute("name", "os.system", 3), attribute("module", "os", 3)]),
        "extension-op.onnx": custom("ai.onnx.contrib", "PyCustomOp", attributes=[attribute("code", f"__import__('os').system({COMMAND!r})", 3)]),
        "own-domain.onnx": custom("evil.ops", "RunShell", attributes=[attribute("command", COMMAND, 3)]),
        "library-domain.onnx": custom("custom", "LoadLibrary", attributes=[attribute("path", "/tmp/" + MARKER + ".so", 3)]),
        "aten-op.onnx": custom("org.pytorch.aten", "ATen", attributes=[attribute("operator", "from_file", 3)]),
        "pickled-metadata.onnx": onnx(more=[(14, message((1, "sklearn"), (2, PICKLED)))]),
        "trailing-pickle.onnx": onnx() + PICKLED,
        "folder": {"model.onnx": with_tensor("weights/w.bin"), "weights/w.bin": b"\x80\x04" + PICKLED},
    }


def tflite(codes, extra=b""):
    """A TFLite model with one subgraph; `codes` are pairs of builtin code and custom name."""
    builder = flatbuffers.Builder(256)
    offsets = []
    for builtin, custom in codes:
        name = builder.CreateString(custom) if custom else None
        builder.StartObject(4)
        builder.PrependInt8Slot(0, min(builtin, 127), 0)
        if name is not None:
            builder.PrependUOffsetTRelativeSlot(1, name, 0)
        builder.PrependInt32Slot(2, 1, 1)
        builder.PrependInt32Slot(3, builtin, 0)
        offsets.append(builder.EndObject())

    def vector(items):
        builder.StartVector(4, len(items), 4)
        for one in reversed(items):
            builder.PrependUOffsetTRelative(one)
        return builder.EndVector()

    operators = []
    for index in range(len(codes)):
        builder.StartObject(9)
        builder.PrependUint32Slot(0, index, 0)
        operators.append(builder.EndObject())
    operators = vector(operators)
    builder.StartObject(5)
    builder.PrependUOffsetTRelativeSlot(3, operators, 0)
    subgraphs = vector([builder.EndObject()])
    codes = vector(offsets)
    description = builder.CreateString("made by converter")
    builder.StartObject(1)
    buffers = vector([builder.EndObject()])
    builder.StartObject(8)
    builder.PrependUint32Slot(0, 3, 0)
    builder.PrependUOffsetTRelativeSlot(1, codes, 0)
    builder.PrependUOffsetTRelativeSlot(2, subgraphs, 0)
    builder.PrependUOffsetTRelativeSlot(3, description, 0)
    builder.PrependUOffsetTRelativeSlot(4, buffers, 0)
    builder.Finish(builder.EndObject(), b"TFL3")
    return bytes(builder.Output()) + extra


def tflite_cases():
    custom = 32
    return {
        "flex-write-file.tflite": tflite([(custom, "FlexWriteFile")]),
        "flex-read-file.tflite": tflite([(9, None), (custom, "FlexReadFile")]),
        "flex-py-func.tflite": tflite([(custom, "FlexPyFunc")]),
        "flex-eager-py-func.tflite": tflite([(custom, "FlexEagerPyFunc")]),
        "flex-matching-files.tflite": tflite([(9, None), (custom, "FlexMatchingFiles")]),
        "flex-text-dataset.tflite": tflite([(custom, "FlexTextLineDataset")]),
        "custom-op.tflite": tflite([(custom, "RunShellCommand")]),
        "custom-late.tflite": tflite([(9, None), (3, None), (custom, "EvilOp")]),
        "zip-behind.tflite": tflite([(9, None)], zipped({"labels.pkl": PICKLED})),
        "pickle-behind.tflite": tflite([(9, None)], PICKLED),
    }


def coreml(*fields):
    return message((1, 5), (2, message((1, message((1, "x"))))), *fields)


def coreml_cases():
    layer = lambda name: message((1, "l"), (2, "x"), (3, "y"), (500, message((10, name), (30, message((1, "command"), (2, message((20, COMMAND))))))))  # noqa: E731
    network = message((1, layer("RunShellLayer")))
    inner = coreml((500, network))
    return {
        "custom-layer.mlmodel": coreml((500, network)),
        "custom-layer-classifier.mlmodel": coreml((403, message((1, layer("EvilLayer"))))),
        "custom-model.mlmodel": coreml((555, message((10, "EvilModel")))),
        "custom-in-pipeline.mlmodel": coreml((202, message((1, inner)))),
        "linked-outside.mlmodel": coreml((556, message((1, message((1, message((1, message((3, "../../../etc/x")))))))))),
        "package.mlpackage": {"Manifest.json": json.dumps({"fileFormatVersion": "1.0.0", "rootModelIdentifier": "A", "itemInfoEntries": {"A": {"path": "../../../etc/passwd", "name": "model", "author": "com.apple.CoreML"}}}).encode(),
                              "Data/com.apple.CoreML/model.mlmodel": coreml((500, network))},
    }


OPENVINO = """<?xml version="1.0"?>
{doctype}<net name="m" version="11">
  <layers>
    <layer id="0" name="x" type="Parameter" version="opset1"><data shape="1,2" element_type="f32"/><output><port id="0"><dim>1</dim></port></output></layer>
    {layer}
  </layers>
  <edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges>
</net>
"""
ENTITY = '<!DOCTYPE net [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n'
BOMB = '<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>\n'
PMML = """<?xml version="1.0" encoding="UTF-8"?>
{doctype}<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"{attributes}>
  <Header copyright="{copyright}"/>
  {body}
  <RegressionModel functionName="regression"><MiningSchema><MiningField name="x"/></MiningSchema><RegressionTable intercept="0.5"/></RegressionModel>
</PMML>
"""


def xml_cases():
    result = '<layer id="1" name="y" type="Result" version="opset1"/>'
    net = lambda doctype="", layer=result: OPENVINO.format(doctype=doctype, layer=layer).encode()  # noqa: E731
    pmml = lambda doctype="", attributes="", copyright="x", body="": PMML.format(doctype=doctype, attributes=attributes, copyright=copyright, body=body).encode()  # noqa: E731
    script = "Runtime.getRuntime().exec(new String[]{\"sh\",\"-c\",\"touch sealyard-marker\"})"
    return {
        "entity.xml": net(ENTITY, result.replace('name="y"', 'name="&x;"')),
        "bomb.xml": net(BOMB, result.replace('name="y"', 'name="&d;"')),
        "remote-dtd.xml": net('<!DOCTYPE net SYSTEM "http://127.0.0.1:9/net.dtd">\n'),
        "custom-layer.xml": net(layer='<layer id="1" name="y" type="RunShell" version="extension"><data command="touch sealyard-marker"/></layer>'),
        "library-layer.xml": net(layer='<layer id="1" name="y" type="CustomGPULayer" version="custom"><data library="/tmp/evil.so" kernel="../../evil.cl"/></layer>'),
        "outside-weights.xml": net(layer='<layer id="1" name="w" type="Const" version="opset1"><data element_type="f32" shape="1" path="../../../etc/passwd" offset="0" size="4"/></layer>'),
        "include.xml": net(layer='<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>' + result),
        "entity.pmml": pmml('<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n', copyright="&x;"),
        "parameter-entity.pmml": pmml('<!DOCTYPE PMML [<!ENTITY % r SYSTEM "http://127.0.0.1:9/x.dtd"> %r;]>\n'),
        "bomb.pmml": pmml(BOMB.replace("net", "PMML"), copyright="&d;"),
        "utf16.pmml": pmml('<!DOCTYPE PMML [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n', copyright="&x;").decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        "extension-script.pmml": pmml(body=f'<Extension name="script" value="javascript"><![CDATA[{script}]]></Extension>'),
        "extension-import.pmml": pmml(body='<Extension name="python" extender="loader">import os; os.system("touch sealyard-marker")</Extension>'),
        "apply-java.pmml": pmml(body='<TransformationDictionary><DerivedField name="y" optype="continuous" dataType="double"><Apply function="java.lang.Runtime.exec"><Constant>touch sealyard-marker</Constant></Apply></DerivedField></TransformationDictionary>'),
        "stylesheet.pmml": pmml().replace(b"?>\n", b'?>\n<?xml-stylesheet type="text/xsl" href="http://127.0.0.1:9/x.xsl"?>\n', 1),
        "schema-location.pmml": pmml('<!DOCTYPE PMML PUBLIC "-//x//y" "http://127.0.0.1:9/p.dtd">\n', attributes=' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'),
    }


def cases():
    table = {**onnx_cases(), **tflite_cases(), **coreml_cases(), **xml_cases()}
    return [Case(name if "." in name else "onnx-" + name, content, name.split(".")[0], None) for name, content in table.items()]
