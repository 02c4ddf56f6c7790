use super::*;

/// A field of protobuf with bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    assert!(number < 16 && content.len() < 128);
    [&[number << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat()
}

fn check(bytes: &[u8], format: Format) {
    assert_eq!(sniff(&bytes.to_vec()).unwrap(), format, "{}", bytes.escape_ascii());
}

#[test]
fn by_first_bytes() {
    for (bytes, format) in [
        (&b""[..], Format::Empty),
        (b"\x80\x04N.", Format::Pickle),
        (b"\x80\x08", Format::Pickle),
        (b"\x93NUMPY\x01\x00", Format::Npy),
        (b"GGUF\x03\0\0\0", Format::Gguf),
        (b"tjgg\x03\0\0\0", Format::Ggml),
        (b"\x02\0\0\0\0\0\0\0{}", Format::Safetensors),
        (b"\x03\0\0\0\0\0\0\0{}", Format::Unknown),
        (b"\x1f\x8b\x08\x00", Format::Compressed(Codec::Gzip)),
        (b"\x78\x9c\x00", Format::Compressed(Codec::Zlib)),
        (b"\x78\x01\x00", Format::Compressed(Codec::Zlib)),
        (b"\x1c\0\0\0TFL3", Format::Tflite),
        (b"CBM1\x10\0\0\0", Format::CatBoost),
        (b"{L\0\0\0\0\0\0\0\x07learner{", Format::Ubjson),
        (b"{i\x07learner{", Format::Ubjson),
        (b"\x81\xa6params\x81", Format::Msgpack),
        (b"\xde\x00\x10\xa6params\x81", Format::Msgpack),
        (b"\x89HDF\r\n\x1a\n", Format::Hdf5),
        (b"PAR1....PAR1", Format::Parquet),
        (b"ARROW1\0\0", Format::Arrow),
        (b"SQLite format 3\0", Format::Sqlite),
        (b"RDX3\nX\n", Format::RData),
        (b"A\n3\n262657\n197888\n", Format::RData),
        (b"7z\xbc\xaf\x27\x1c\0\x04", Format::SevenZip),
        (b"Rar!\x1a\x07\x01\0", Format::Rar),
        (b"\x28\xb5\x2f\xfd\x04", Format::Zstd),
        (b"\x89PNG\r\n\x1a\n", Format::Png),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Format::Webp),
        (b"\0\x01\x02\x57\xfb\x80\x8b\x24\x75\x47\xdb", Format::TensorIndex),
        (b"\xff\xfe\x00", Format::Unknown),
        (b"x\x00y", Format::Unknown),
    ] {
        check(bytes, format);
    }
}

#[test]
fn the_length_of_a_header_may_begin_like_a_pickle() {
    let file = |length: &[u8; 8]| [&length[..], b"{", &vec![b' '; 1 << 21]].concat();
    check(&file(b"\x80\0\0\0\0\0\0\0"), Format::Safetensors);
    check(&file(b"\x80\x04\x01\0\0\0\0\0"), Format::Safetensors);
    // An opcode: the unpickler goes on.
    check(&file(b"\x80\x04\x1f\0\0\0\0\0"), Format::Safetensors);
    check(&[&b"\x80\x04N"[..], &[0; 5], b"{}"].concat(), Format::Pickle);
    check(b"\x80\0\0\0\0\0\0\0{}", Format::Pickle);
}

#[test]
fn programs() {
    for (bytes, format) in [
        (&b"\x7fELF"[..], Format::Elf),
        (b"MZ\x90\0\x03\0\0\0", Format::Pe),
        (b"MZqFpD='\n", Format::Llamafile),
        (b"\xcf\xfa\xed\xfe\x0c\0\0\x01", Format::MachO),
        (b"\xca\xfe\xba\xbe\0\0\0\x02", Format::MachO),
        (b"\xca\xfe\xba\xbe\0\0\0\x41", Format::JavaClass),
        (b"\xac\xed\0\x05sr", Format::JavaObjects),
        (b"\xcb\x0d\x0d\x0a\0\0\0\0", Format::PythonBytecode),
        (b"\0asm\x01\0\0\0", Format::Wasm),
        (b"#!/bin/sh\nrm -r x\n", Format::Script),
        (b"MZ is what it begins with.\n", Format::Text),
    ] {
        check(bytes, format);
    }
}

#[test]
fn pickles_are_told_from_text() {
    for (bytes, format) in [
        (&b"cos\nsystem\n(S'id'\ntR."[..], Format::Pickle),
        (b"(lp0\nI1\na.", Format::Pickle),
        (b"cos\nsystem\n(S'id'\ntR and no STOP", Format::Pickle),
        (b"cos\nsystem\n\x8c\x02id\x85", Format::Pickle),
        (b"Numbers are here.", Format::Text),
        (b"import os\n", Format::Python),
        (b"cloudpickle==3.1.2\nnumpy==2.3\n", Format::Requirements),
        (b"click\nnumpy\n", Format::Text),
        (b"channels:\n- conda-forge\n", Format::Text),
        (b"N. America", Format::Text),
    ] {
        check(bytes, format);
    }
    // Who runs opcodes himself is told nothing of them.
    assert_eq!(signature(&b"(lp0\nI1\na.".to_vec()).unwrap(), Format::Text);
}

#[test]
fn messages_of_protobuf() {
    let node = [field(1, b"x"), field(2, b"y"), field(4, b"Relu")].concat();
    let graph = [field(1, &node), field(2, b"g")].concat();
    check(&[b"\x08\x0a".to_vec(), field(7, &graph)].concat(), Format::Onnx);
    // In any order, with fields that no schema has.
    check(&[field(7, &graph), field(15, b"?"), b"\x08\x0a".to_vec()].concat(), Format::Onnx);
    check(&[b"\x08\x0a".to_vec(), field(2, b"pytorch"), field(8, b"\x10\x11")].concat(), Format::Onnx);

    let tf = field(1, &[field(1, b"weights/x"), field(2, b"ReadFile")].concat());
    check(&tf, Format::GraphDef);
    check(&[b"\x08\x01".to_vec(), field(2, &field(2, &tf))].concat(), Format::SavedModel);
    check(&field(2, &tf), Format::MetaGraph);
    let function = field(2, &field(1, &field(1, &field(1, b"f"))));
    check(&function, Format::GraphDef);

    // The tag of field 500 has two bytes.
    let network = [&b"\xa2\x1f"[..], &[0]].concat();
    check(&[b"\x08\x04".to_vec(), field(2, b""), network].concat(), Format::CoreMl);
    check(&field(1, &[&b"\x10\x02"[..], &field(4, b"_tf_keras_layer")].concat()), Format::KerasMetadata);
    check(b"\x08\x01\x10\x02\x18\x03\x20\x04", Format::Fingerprint);

    let piece = |text: &[u8]| field(1, &[field(1, text), b"\x15\0\0\x80\xbf\x18\x01".to_vec()].concat());
    let pieces = [piece(b"<unk>"), piece("\u{2581}a".as_bytes())].concat();
    check(&pieces, Format::Vocabulary);
    check(&[pieces.clone(), field(2, b""), field(3, b"")].concat(), Format::SentencePiece);
    // What has bytes of which nothing is known is no table, and what is cut off is no message.
    check(&[pieces.clone(), field(9, b"\x80\x04.")].concat(), Format::Unknown);
    check(&pieces[..pieces.len() - 1], Format::Unknown);
}

#[test]
fn texts() {
    for (text, format) in [
        ("{\"a\": 1}", Format::Json),
        ("[1, 2]", Format::Json),
        ("[metadata]\nname = x\n", Format::Text),
        ("{\"cells\": [{\"cell_type\": \"code\"}]}", Format::Notebook),
        ("{%- for m in messages %}{{ m }}{% endfor %}", Format::Jinja),
        ("<?xml version=\"1.0\"?>\n<!-- c --><PMML version=\"4.4\"/>", Format::Pmml),
        ("<PMML/>", Format::Pmml),
        ("<!DOCTYPE html><html></html>", Format::Html),
        ("<!DOCTYPE x [<!ENTITY a \"b\">]><x/>", Format::Xml),
        ("<net name=\"n\" version=\"11\">", Format::Xml),
        ("<a>text</a>\n", Format::Text),
        ("<p align=\"center\">\n# Title\n", Format::Text),
        ("<unk>\n<s>\n</s>\nthe\n", Format::Text),
        ("artifact_path: model\nflavors:\n  sklearn:\n    code: null\n", Format::MlModel),
        ("---\nflavors: {}\nrun_id: a\n", Format::MlModel),
        ("let text = \"\nflavors:\nrun_id: a\n\";\n", Format::Text),
        ("name: env\nchannels:\n- defaults\ndependencies:\n- python=3.11\n", Format::CondaEnvironment),
        ("node {\n  name: \"x\"\n  op: \"ReadFile\"\n}\n", Format::GraphText),
        ("# A comment.\nsaved_model_schema_version: 1 meta_graphs {}\n", Format::GraphText),
        ("node # a comment\n: # another\n<\n  op: 'x' >\n", Format::GraphText),
        ("library:\n  name: x\n", Format::Text),
        ("A text about node {\nnode {\n", Format::Text),
        ("tree\nversion=v4\nnum_class=1\n", Format::LightGbm),
        ("--extra-index-url https://example.org\nnumpy\n", Format::Requirements),
        ("scikit-learn[x] >= 1.0 ; python_version > '3'\n# why\nnumpy\n", Format::Requirements),
        ("import sys; exec(open('x').read())\n", Format::SiteFile),
        ("/usr/lib/x\nimport os, sys;x = 1\n", Format::SiteFile),
        ("import sys\nprint(sys.path)\n", Format::Python),
        ("# Copyright\n\"\"\"Text.\n\nMore.\n\"\"\"\nfrom torch import nn\n", Format::Python),
        ("VERSION = 1\nclass A:\n    pass\n", Format::Python),
        ("# Title\n\nimport taxes are high here.\n", Format::Text),
        ("x = 1\n", Format::Text),
        ("GGUF is a format.\n", Format::Text),
        ("a,b\n1,2\n", Format::Text),
        ("A\n2\n3\n", Format::Text),
        ("\u{feff}{\"a\": 1}", Format::Json),
    ] {
        check(text.as_bytes(), format);
    }
    check(b"caf\xe9", Format::Text);
    check(b"caf\x85", Format::Text);
    let cut = [&b"a".repeat(HEAD - 1), "\u{e9}".as_bytes(), b"b"].concat();
    check(&cut, Format::Text);
}

#[test]
fn archives() {
    let tar = |name: &str, mark: &[u8]| {
        let mut header = [0_u8; 1536];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(b"00000000000\0");
        header[148..156].fill(b' ');
        header[257..257 + mark.len()].copy_from_slice(mark);
        let sum: u32 = header[..512].iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        header.to_vec()
    };
    check(&tar("a.txt", b"ustar\0"), Format::Tar);
    check(&tar("a.txt", b""), Format::Tar);
    let mut broken = tar("a.txt", b"");
    broken[0] = b'b';
    check(&broken, Format::Unknown);
    check(&tar("./model_config.yaml", b"ustar\0"), Format::Nemo);
    let second = [&tar("a.ckpt", b"ustar\0")[..512], &tar("model_config.yaml", b"ustar\0")].concat();
    check(&second, Format::Nemo);

    let zip = |names: &[&str]| {
        let mut out = std::io::Cursor::new(Vec::new());
        let mut archive = ::zip::ZipWriter::new(&mut out);
        for name in names {
            archive.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
        }
        archive.finish().unwrap();
        out.into_inner()
    };
    for (names, format) in [
        (&["m/data.pkl", "m/data/0"][..], Format::TorchZip),
        (&["m/data.pkl", "m/code/__torch__.py"], Format::TorchScript),
        (&["schema.json", "1.npy"], Format::Skops),
        (&["config.json", "metadata.json"], Format::Keras),
        (&["MAR-INF/MANIFEST.json", "m.pt"], Format::Mar),
        (&["a.npy", "b.npy"], Format::Npz),
        (&["a.npy", "b.txt"], Format::Zip),
    ] {
        check(&zip(names), format);
    }
    check(b"PK\x03\x04", Format::Zip);
    // Behind something else, as readers that begin at the end see it.
    check(&[b"some text\n".to_vec(), zip(&["m/data.pkl"])].concat(), Format::TorchZip);
    check(&[b"\x80\x04N.".to_vec(), zip(&["m/data.pkl"])].concat(), Format::Pickle);
}

#[test]
fn a_block_of_text_hides_no_hdf5() {
    assert!(!has_hdf5_behind(&vec![b' '; 10_000]).unwrap());
    for offset in [512, 1 << 14, 1 << 20] {
        let mut bytes = vec![b' '; offset];
        bytes.extend(HDF5);
        bytes.extend([0; 100]);
        assert!(has_hdf5_behind(&bytes).unwrap(), "{offset}");
    }
}
