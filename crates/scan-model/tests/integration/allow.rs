//! What the lists allow can't be put together into something harmful. Each attack stands beside the harmless form that
//! real libraries write, so that neither test can pass by accident.

use sealyard_core::Verdict;
use sealyard_scan_model::Scanner;

/// A piece of a pickle that leaves one value on the stack.
type Value = Vec<u8>;

fn text(text: &str) -> Value {
    [b"X", &u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes()[..], text.as_bytes()].concat()
}

fn bytes(bytes: &[u8]) -> Value {
    [b"B", &u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()[..], bytes].concat()
}

fn int(value: i32) -> Value {
    [b"J", &value.to_le_bytes()[..]].concat()
}

fn global(module: &str, name: &str) -> Value {
    [text(module), text(name), b"\x93".to_vec()].concat()
}

fn tuple(items: &[Value]) -> Value {
    [b"(", &items.concat()[..], b"t"].concat()
}

fn list(items: &[Value]) -> Value {
    [b"](", &items.concat()[..], b"e"].concat()
}

fn dict(items: &[(&str, Value)]) -> Value {
    let items: Vec<_> = items.iter().flat_map(|(key, value)| [text(key), value.clone()]).collect();
    [b"}(", &items.concat()[..], b"u"].concat()
}

fn call(callee: Value, args: &[Value]) -> Value {
    [callee, tuple(args), b"R".to_vec()].concat()
}

fn new(class: Value) -> Value {
    [class, b")\x81".to_vec()].concat()
}

fn build(target: Value, state: Value) -> Value {
    [target, state, b"b".to_vec()].concat()
}

fn none() -> Value {
    b"N".to_vec()
}

fn pickle(value: &Value) -> Vec<u8> {
    [b"\x80\x04", &value[..], b"."].concat()
}

fn verdict(value: &Value) -> Verdict {
    Scanner::new().scan_file("model.pkl", &pickle(value)).verdict
}

#[track_caller]
fn is_safe(value: Value) {
    let report = Scanner::new().scan_file("model.pkl", &pickle(&value));
    assert_eq!(report.verdict, Verdict::Safe, "{report:?}");
}

#[track_caller]
fn is_unsafe(value: Value) {
    assert_eq!(verdict(&value), Verdict::Unsafe);
}

fn system() -> Value {
    global("os", "system")
}

fn partial(function: Value) -> Value {
    call(global("functools", "partial"), &[function])
}

fn getattr(owner: Value, name: &str) -> Value {
    call(global("builtins", "getattr"), &[owner, text(name)])
}

fn transformer(function: Value) -> Value {
    let class = global("sklearn.preprocessing._function_transformer", "FunctionTransformer");
    build(new(class), dict(&[("func", function)]))
}

#[test]
fn partial_wraps_listed_functions_only() {
    let add = || global("numpy", "add");
    let state = |function| tuple(&[function, tuple(&[int(1)]), dict(&[]), none()]);
    is_safe(build(partial(add()), state(add())));
    is_safe(transformer(build(partial(add()), state(add()))));
    is_unsafe(partial(system()));
    is_unsafe(partial(global("builtins", "eval")));
    is_unsafe(partial(global("pandas", "read_pickle")));
    // Neither classes nor what makes objects are functions without effects.
    is_unsafe(partial(global("collections", "OrderedDict")));
    is_unsafe(partial(global("sklearn.linear_model._ridge", "Ridge")));
    is_unsafe(partial(global("torch.storage", "_load_from_bytes")));
    is_unsafe(partial(global("functools", "partial")));
    // `__setstate__` sets the function anew.
    is_unsafe(build(partial(add()), state(system())));
    is_unsafe(build(partial(add()), state(global("builtins", "len"))));
    is_unsafe(build(partial(add()), state(getattr(global("builtins", "str"), "lower"))));
    // What it wraps is not called while loading.
    is_unsafe(call(partial(add()), &[int(1), int(2)]));
    is_unsafe(call(global("functools", "partial"), &[add(), int(1)]));
    // Whoever finds it in a model could be made to call it with anything.
    is_unsafe(transformer(global("functools", "partial")));
    is_unsafe(list(&[global("functools", "partial")]));
    is_unsafe(global("functools", "partial"));
}

#[test]
fn attributes_are_taken_of_listed_pairs_only() {
    is_safe(getattr(global("builtins", "str"), "lower"));
    is_safe(getattr(global("http", "HTTPStatus"), "OK"));
    is_safe(call(getattr(global("zoneinfo", "ZoneInfo"), "_unpickle"), &[text("Europe/Berlin"), int(1)]));
    is_unsafe(getattr(global("builtins", "str"), "format"));
    is_unsafe(getattr(global("http", "HTTPStatus"), "mro"));
    is_unsafe(getattr(global("http", "HTTPStatus"), "__class__"));
    is_unsafe(getattr(global("pathlib", "PosixPath"), "write_text"));
    is_unsafe(getattr(global("os", "path"), "join"));
    is_unsafe(getattr(new(global("sklearn.linear_model._ridge", "Ridge")), "fit"));
    is_unsafe(call(
        global("builtins", "getattr"),
        &[global("builtins", "str"), getattr(global("builtins", "str"), "lower")],
    ));
    is_unsafe(call(getattr(global("builtins", "str"), "lower"), &[text("A")]));
    is_unsafe(transformer(global("builtins", "getattr")));
    is_unsafe(global("builtins", "getattr"));
}

#[test]
fn names_of_time_zones_stay_below_their_folder() {
    is_safe(call(global("zoneinfo", "ZoneInfo._unpickle"), &[text("Etc/GMT+1"), int(1)]));
    is_safe(call(global("pytz", "_p"), &[text("Europe/Berlin"), int(3180), int(0), text("LMT")]));
    for name in ["../../etc/passwd", "/etc/passwd", "a\0", "", "a/../b"] {
        is_unsafe(call(global("zoneinfo", "ZoneInfo._unpickle"), &[text(name), int(1)]));
        is_unsafe(call(global("pytz", "_p"), &[text(name)]));
    }
}

#[test]
fn files_are_named_but_not_touched() {
    is_safe(call(global("pathlib", "PosixPath"), &[text("a"), text("b")]));
    is_safe(call(global("logging", "getLogger"), &[text("a.b")]));
    is_unsafe(call(global("pathlib", "Path"), &[text("a")]));
    is_unsafe(call(global("pathlib", "PosixPath.write_text"), &[text("a"), text("b")]));
    is_unsafe(call(global("pathlib", "PosixPath.unlink"), &[call(global("pathlib", "PosixPath"), &[text("a")])]));
    is_unsafe(call(global("logging", "FileHandler"), &[text("a.log")]));
    is_unsafe(call(global("logging.config", "fileConfig"), &[text("a.ini")]));
    is_unsafe(new(global("logging", "FileHandler")));
    is_unsafe(build(call(global("logging", "getLogger"), &[text("a")]), dict(&[("handlers", list(&[]))])));
    for (module, name) in [
        ("lightgbm.basic", "Dataset"),
        ("xgboost.core", "DMatrix"),
        ("xgboost.callback", "TrainingCheckPoint"),
        ("catboost.core", "Pool"),
        ("numpy", "memmap"),
        ("joblib.memory", "Memory"),
        ("torch.hub", "load"),
    ] {
        assert_ne!(verdict(&new(global(module, name))), Verdict::Safe, "{module}.{name}");
    }
}

fn distribution(state: Value) -> Value {
    build(new(global("scipy.stats._continuous_distns", "norm_gen")), state)
}

const TEMPLATE: &str = "\ndef _parse_args(self,  loc=0, scale=1):\n    return (), loc, scale\n\n\
                        def _parse_args_rvs(self,  loc=0, scale=1, size=None):\n    \
                        return self._argcheck_rvs( loc, scale, size=size)\n\n\
                        def _parse_args_stats(self,  loc=0, scale=1, moments='mv'):\n    \
                        return (), loc, scale, moments\n";

#[test]
fn distributions_run_no_code_of_the_file() {
    let evil = || text("import os\nos.system('true')\n");
    is_safe(distribution(dict(&[("_parse_arg_template", text(TEMPLATE)), ("name", text("norm"))])));
    let parameters = [("name", text("norm")), ("shapes", none()), ("badvalue", none())];
    is_safe(distribution(tuple(&[dict(&parameters), none()])));
    is_unsafe(distribution(dict(&[("_parse_arg_template", evil())])));
    is_unsafe(distribution(dict(&[("_parse_arg_template", text(&format!("{TEMPLATE}import os\n")))])));
    is_unsafe(distribution(dict(&[("_parse_arg_template", text(TEMPLATE)), ("_parse_arg_template", evil())])));
    let computed = call(global("_codecs", "encode"), &[evil(), text("latin1")]);
    is_unsafe(distribution(dict(&[("_parse_arg_template", computed)])));
    // `dict.update` takes pairs, and a table of two keys is one.
    let pair = dict(&[("_parse_arg_template", none()), ("import os\n", none())]);
    is_unsafe(distribution(tuple(&[pair, tuple(&[text("a"), none()])])));
    is_unsafe(distribution(tuple(&[tuple(&[text("_parse_arg_template"), evil()]), tuple(&[text("a"), none()])])));
    is_unsafe(distribution(list(&[list(&[text("_parse_arg_template"), evil()])])));
    // What is made by another function must not get by.
    let class = || global("scipy.stats._continuous_distns", "norm_gen");
    let state = || dict(&[("_parse_arg_template", evil())]);
    is_unsafe(build(call(global("numpy.random._pickle", "__bit_generator_ctor"), &[class()]), state()));
    is_unsafe(build(call(global("copyreg", "__newobj__"), &[class()]), state()));
    let object = global("builtins", "object");
    is_unsafe(build(call(global("copyreg", "_reconstructor"), &[class(), object, none()]), state()));
    is_unsafe(build(call(global("sklearn.neighbors._kd_tree", "newObj"), &[class()]), state()));
    is_unsafe(build(call(global("pandas.core.indexes.base", "_new_Index"), &[class(), dict(&[])]), state()));
}

#[test]
fn latent_functions_are_listed_themselves() {
    is_safe(transformer(global("numpy", "log1p")));
    is_unsafe(transformer(system()));
    is_unsafe(transformer(global("joblib", "load")));
    is_unsafe(transformer(global("torch.storage", "_load_from_bytes")));
    is_unsafe(transformer(global("pandas", "eval")));
    let vectorize = |function| build(new(global("numpy", "vectorize")), dict(&[("pyfunc", function)]));
    is_safe(vectorize(global("numpy", "log1p")));
    is_unsafe(vectorize(system()));
    is_unsafe(call(global("numpy", "vectorize"), &[global("numpy", "log1p")]));
    let search = |estimator| {
        let class = global("sklearn.model_selection._search", "GridSearchCV");
        build(new(class), dict(&[("estimator", estimator)]))
    };
    is_safe(search(new(global("sklearn.linear_model._ridge", "Ridge"))));
    is_unsafe(search(call(system(), &[text("true")])));
    is_unsafe(search(new(global("subprocess", "Popen"))));
    let default = |factory| call(global("collections", "defaultdict"), &[factory]);
    is_safe(default(global("builtins", "list")));
    is_unsafe(default(system()));
    is_unsafe(default(partial(system())));
}

fn tensor(function: &str) -> Value {
    let ordered = call(global("collections", "OrderedDict"), &[]);
    let sizes = || tuple(&[int(1)]);
    call(global("torch._utils", function), &[none(), int(0), sizes(), sizes(), int(0), ordered])
}

#[test]
fn old_universal_functions_are_listed_themselves() {
    let ufunc = |module, name| call(global("numpy.core", "_ufunc_reconstruct"), &[text(module), text(name)]);
    is_safe(transformer(ufunc("numpy", "log1p")));
    is_safe(partial(ufunc("numpy", "add")));
    is_unsafe(ufunc("os", "system"));
    is_unsafe(ufunc("numpy", "load"));
    is_unsafe(ufunc("my_package", "log1p"));
    is_unsafe(ufunc("numpy", "ndarray"));
    is_unsafe(call(ufunc("numpy", "log1p"), &[int(1)]));
    is_unsafe(transformer(global("numpy.core", "_ufunc_reconstruct")));
}

#[test]
fn torch_rebuilds_tensors_and_nothing_else() {
    let from_type = |function, class, state| {
        let function: Value = function;
        call(global("torch._tensor", "_rebuild_from_type_v2"), &[function, class, tuple(&[int(1), int(2)]), state])
    };
    let rebuild = || global("torch._utils", "_rebuild_tensor_v2");
    let class = || global("torch", "Tensor");
    is_safe(tensor("_rebuild_tensor_v2"));
    is_safe(from_type(rebuild(), class(), dict(&[("extra", int(1))])));
    is_unsafe(from_type(system(), class(), dict(&[])));
    is_unsafe(from_type(global("builtins", "list"), class(), dict(&[])));
    is_unsafe(from_type(global("torch.storage", "_load_from_bytes"), class(), dict(&[])));
    is_unsafe(from_type(rebuild(), global("sklearn.linear_model._ridge", "Ridge"), dict(&[])));
    is_unsafe(from_type(rebuild(), class(), dict(&[("__setstate__", global("numpy", "log1p"))])));
    is_unsafe(transformer(global("torch._tensor", "_rebuild_from_type_v2")));
    let with_state = |state| {
        let name = global("torch._utils", "_rebuild_parameter_with_state");
        call(name, &[tensor("_rebuild_tensor_v2"), int(1), none(), state])
    };
    is_safe(with_state(dict(&[("extra", int(1))])));
    is_unsafe(with_state(tuple(&[none(), dict(&[("__class__", global("numpy", "vectorize"))])])));
    is_unsafe(call(rebuild(), &[global("numpy", "vectorize"), int(0), int(1)]));
}

/// Five pickles, as torch wrote files until 1.6.
fn legacy(value: &Value) -> Vec<u8> {
    let magic = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19".to_vec();
    let parts = [magic, int(1001), dict(&[]), value.clone(), list(&[])];
    parts.iter().flat_map(pickle).collect()
}

#[test]
fn bytes_that_torch_unpickles_are_judged() {
    let load = |inner: &[u8]| call(global("torch.storage", "_load_from_bytes"), &[bytes(inner)]);
    let evil = || call(system(), &[text("true")]);
    is_safe(load(&legacy(&tensor("_rebuild_tensor_v2"))));
    is_safe(load(&legacy(&load(&legacy(&tensor("_rebuild_tensor_v2"))))));
    is_unsafe(load(&legacy(&evil())));
    is_unsafe(load(&legacy(&load(&legacy(&evil())))));
    is_unsafe(load(&legacy(&new(global("my_package", "Model")))));
    // An archive is judged by no pickle machine; what is cut off was not judged in full.
    is_unsafe(load(b"PK\x03\x04"));
    is_unsafe(load(b""));
    is_unsafe(load(&pickle(&tensor("_rebuild_tensor_v2"))));
    let mut deep = legacy(&none());
    for _ in 0..8 {
        deep = legacy(&load(&deep));
    }
    is_unsafe(load(&deep));
    // As text, which protocols below 3 write for bytes.
    let latin: String = legacy(&evil()).iter().map(|byte| char::from(*byte)).collect();
    let encoded = call(global("_codecs", "encode"), &[text(&latin), text("latin1")]);
    is_unsafe(call(global("torch.storage", "_load_from_bytes"), &[encoded]));
}

#[test]
fn files_of_old_torch_are_judged_as_such() {
    let scan = |bytes: Vec<u8>| Scanner::new().scan_file("model.pt", &bytes).verdict;
    let verdict = |value: &Value| scan(legacy(value));
    let id = |parts: &[Value]| [tuple(parts), b"Q".to_vec()].concat();
    let storage =
        |key: &str| id(&[text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"), int(1), none()]);
    let module = |class| id(&[text("module"), class, text("linear.py"), text("class Linear: ...")]);
    // Its only element, after how many there are.
    let raw = [1, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    assert_eq!(scan([&legacy(&storage("0"))[..], &raw].concat()), Verdict::Safe);
    // More could be an archive, which some versions of torch would rather read.
    assert_ne!(scan([&legacy(&storage("0"))[..], &raw, b"PK"].concat()), Verdict::Safe);
    assert_eq!(verdict(&new(module(global("torch.nn.modules.linear", "Linear")))), Verdict::Safe);
    assert_eq!(verdict(&call(system(), &[text("true")])), Verdict::Unsafe);
    assert_eq!(verdict(&new(module(global("subprocess", "Popen")))), Verdict::Unsafe);
    assert_ne!(verdict(&storage("../../key")), Verdict::Safe);
    assert_ne!(verdict(&id(&[text("anything")])), Verdict::Safe);
    // Without the number at the front nobody asks torch.
    assert_ne!(self::verdict(&storage("0")), Verdict::Safe);
}

#[test]
fn pandas_makes_blocks_of_one_partial() {
    let function = || global("pandas.core.internals.blocks", "new_block");
    let made = |args, keywords| build(partial(function()), tuple(&[function(), args, keywords, none()]));
    let block = |maker| call(maker, &[int(1), int(2)]);
    is_safe(block(made(tuple(&[]), dict(&[("ndim", int(2))]))));
    is_unsafe(block(made(tuple(&[int(1)]), dict(&[("ndim", int(2))]))));
    is_unsafe(block(made(tuple(&[]), dict(&[("ndim", int(2)), ("values", none())]))));
    is_unsafe(block(build(partial(function()), tuple(&[system(), tuple(&[]), dict(&[]), none()]))));
}

#[test]
fn arguments_are_those_that_real_pickles_have() {
    is_safe(call(global("random", "Random"), &[]));
    is_unsafe(call(global("random", "Random"), &[text("seed")]));
    is_safe(call(global("operator", "itemgetter"), &[text("a"), int(1)]));
    is_unsafe(call(global("operator", "itemgetter"), &[call(system(), &[text("true")])]));
    is_unsafe(call(global("operator", "attrgetter"), &[text("a")]));
    is_unsafe(call(global("operator", "methodcaller"), &[text("a")]));
    is_safe(call(global("re", "_compile"), &[text("a+"), int(0)]));
    is_unsafe(call(global("re", "_compile"), &[new(global("sklearn.linear_model._ridge", "Ridge"))]));
    is_safe(call(global("http", "HTTPStatus"), &[int(200)]));
    is_unsafe(call(global("http", "HTTPStatus"), &[int(200), text("names")]));
    is_unsafe(call(global("numpy", "log1p"), &[int(1)]));
    is_unsafe(call(global("numpy", "matrix"), &[text("1 2")]));
    let reconstruct =
        |class| call(global("numpy._core.multiarray", "_reconstruct"), &[class, tuple(&[int(0)]), bytes(b"b")]);
    is_safe(reconstruct(global("numpy", "matrix")));
    is_unsafe(reconstruct(global("numpy", "vectorize")));
    // A text that people read may be set, anything else under such a name not.
    let ridge = || new(global("sklearn.linear_model._ridge", "Ridge"));
    is_safe(build(ridge(), dict(&[("__doc__", text("…"))])));
    is_unsafe(build(ridge(), dict(&[("__doc__", global("numpy", "log1p"))])));
    is_unsafe(build(ridge(), dict(&[("__class__", text("…"))])));
}

#[test]
fn long_chains_end_in_bounds() {
    // Each object is made of an attribute of the one before: followed one within the other, this would end the stack.
    let keep = |name: &str, value: Value| [value, b"p".to_vec(), name.as_bytes().to_vec(), b"\n0".to_vec()].concat();
    let head = [
        keep("0", global("copyreg", "_reconstructor")),
        keep("1", global("builtins", "getattr")),
        keep("2", text("_entropy")),
        keep("3", none()),
    ];
    let link = b"g0\ng1\ng3\ng2\n\x86Rg3\ng3\n\x87Rp3\n0";
    let bytes = [b"\x80\x04", &head.concat()[..], &link.repeat(100_000), b"N."].concat();
    assert_eq!(Scanner::new().scan_file("model.pkl", &bytes).verdict, Verdict::Unsafe);
}

#[test]
fn much_inside_costs_no_more_than_its_budget() {
    // The same long text, taken for bytes anew by each call, and in it the same again.
    let load = b"g0\ng1\ng2\ng3\n\x86R\x85R0";
    let calls = |inner: &[u8]| {
        let latin: String = inner.iter().map(|byte| char::from(*byte)).collect();
        let keep =
            |name: &str, value: Value| [value, b"p".to_vec(), name.as_bytes().to_vec(), b"\n0".to_vec()].concat();
        [
            keep("0", global("torch.storage", "_load_from_bytes")),
            keep("1", global("_codecs", "encode")),
            keep("2", text(&latin)),
            keep("3", text("latin1")),
            load.repeat(2_000),
            none(),
        ]
        .concat()
    };
    let innermost = legacy(&[b"N0".repeat(100_000), none()].concat());
    let outer = calls(&legacy(&calls(&innermost)));
    let (sent, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || sent.send(verdict(&outer)));
    assert_eq!(finished.recv_timeout(std::time::Duration::from_secs(60)), Ok(Verdict::Unsafe));
}
