/// What an operator does besides computing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Reads or lists files, which is all that it is for.
    Read,
    /// Reads files as a data set or by a reader, as training does.
    Data,
    /// Writes files.
    Write,
    /// Writes a checkpoint, as every model that can be saved does.
    Save,
    /// Reads a checkpoint, as every model that can be restored does.
    Restore,
    /// Reads a table of words when the model is loaded.
    Table,
    /// Writes a log of the training, which no model needs.
    Log,
    /// Maps a file, or a part of one that holds a model, as a tensor.
    Memory,
    /// Prints to what an attribute says.
    Print,
    /// Sends what it sees to where an attribute says.
    Debug,
    /// Talks to another machine.
    Network,
    /// Calls a Python function that the process has registered.
    Python,
    /// Calls native code by name, or loads such.
    Native,
}

/// An operator that does something besides computing.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) operator: &'static str,
    pub(crate) act: Act,
    /// Which inputs are paths.
    pub(crate) inputs: &'static [usize],
    /// Which attribute is a path.
    pub(crate) attribute: Option<&'static str>,
}

const fn by_input(operator: &'static str, act: Act, inputs: &'static [usize]) -> Effect {
    Effect { operator, act, inputs, attribute: None }
}

const fn by_attribute(operator: &'static str, act: Act, attribute: &'static str) -> Effect {
    Effect { operator, act, inputs: &[], attribute: Some(attribute) }
}

/// The operators of TensorFlow 1.0 to 2.21 that do something besides computing, in the order of their names.
#[rustfmt::skip]
const EFFECTS: &[Effect] = &[
    by_input("BigQueryReader", Act::Network, &[]),
    by_input("CSVDataset", Act::Data, &[0]),
    by_input("CSVDatasetV2", Act::Data, &[0]),
    by_input("CacheDataset", Act::Save, &[1]),
    by_input("CacheDatasetV2", Act::Save, &[1]),
    by_input("CreateSummaryDbWriter", Act::Write, &[1]),
    by_input("CreateSummaryFileWriter", Act::Log, &[1, 4]),
    by_input("DataServiceDataset", Act::Network, &[]),
    by_input("DataServiceDatasetV2", Act::Network, &[]),
    by_input("DataServiceDatasetV3", Act::Network, &[]),
    by_input("DataServiceDatasetV4", Act::Network, &[]),
    by_input("DatasetToTFRecord", Act::Write, &[1]),
    by_attribute("DebugIdentity", Act::Debug, "debug_urls"),
    by_attribute("DebugIdentityV2", Act::Debug, "debug_urls"),
    by_attribute("DebugIdentityV3", Act::Debug, "debug_urls"),
    by_attribute("DebugNanCount", Act::Debug, "debug_urls"),
    by_attribute("DebugNumericSummary", Act::Debug, "debug_urls"),
    by_attribute("DebugNumericSummaryV2", Act::Debug, "debug_urls"),
    by_attribute("DecodeProtoV2", Act::Table, "descriptor_source"),
    by_input("DistributedSave", Act::Network, &[]),
    by_input("EagerPyFunc", Act::Python, &[]),
    by_attribute("EncodeProto", Act::Table, "descriptor_source"),
    by_input("ExperimentalCSVDataset", Act::Data, &[0]),
    by_input("ExperimentalDatasetToTFRecord", Act::Write, &[1]),
    by_input("ExperimentalLMDBDataset", Act::Data, &[0]),
    by_input("ExperimentalMatchingFilesDataset", Act::Read, &[0]),
    by_input("ExperimentalSqlDataset", Act::Data, &[1]),
    by_input("FileSystemSetConfiguration", Act::Native, &[]),
    by_input("FixedLengthRecordDataset", Act::Data, &[0]),
    by_input("FixedLengthRecordDatasetV2", Act::Data, &[0]),
    by_input("FixedLengthRecordReader", Act::Data, &[]),
    by_input("FixedLengthRecordReaderV2", Act::Data, &[]),
    by_input("GcsConfigureCredentials", Act::Network, &[]),
    by_input("GenerateVocabRemapping", Act::Data, &[0, 1]),
    by_attribute("ImmutableConst", Act::Memory, "memory_region_name"),
    by_input("InitializeTableFromTextFile", Act::Table, &[1]),
    by_input("InitializeTableFromTextFileV2", Act::Table, &[1]),
    by_input("LMDBDataset", Act::Data, &[0]),
    by_input("LMDBReader", Act::Data, &[]),
    by_input("LoadAndRemapMatrix", Act::Restore, &[0]),
    by_input("LoadDataset", Act::Data, &[0]),
    by_input("MatchingFiles", Act::Read, &[0]),
    by_input("MatchingFilesDataset", Act::Read, &[0]),
    by_input("MergeV2Checkpoints", Act::Save, &[0, 1]),
    by_attribute("PrintV2", Act::Print, "output_stream"),
    by_input("PyFunc", Act::Python, &[]),
    by_input("PyFuncStateless", Act::Python, &[]),
    by_input("ReadFile", Act::Read, &[0]),
    by_attribute("RecordInput", Act::Data, "file_pattern"),
    by_input("RegisterDataset", Act::Network, &[]),
    by_input("RegisterDatasetV2", Act::Network, &[]),
    by_input("RemoteCall", Act::Network, &[]),
    by_input("RemoteFusedGraphExecute", Act::Native, &[]),
    by_input("Restore", Act::Restore, &[0]),
    by_input("RestoreSlice", Act::Restore, &[0]),
    by_input("RestoreV2", Act::Restore, &[0]),
    by_input("Rpc", Act::Network, &[]),
    by_input("RpcCall", Act::Network, &[]),
    by_input("RpcClient", Act::Network, &[]),
    by_input("RpcServer", Act::Network, &[]),
    by_input("RpcServerRegister", Act::Network, &[]),
    by_input("RpcServerStart", Act::Network, &[]),
    by_input("Save", Act::Save, &[0]),
    by_input("SaveDataset", Act::Write, &[1]),
    by_input("SaveDatasetV2", Act::Write, &[1]),
    by_input("SaveSlices", Act::Save, &[0]),
    by_input("SaveV2", Act::Save, &[0]),
    by_attribute("Skipgram", Act::Data, "filename"),
    by_input("SnapshotChunkDataset", Act::Data, &[0]),
    by_input("SnapshotDataset", Act::Write, &[1]),
    by_input("SnapshotDatasetReader", Act::Data, &[0]),
    by_input("SnapshotDatasetV2", Act::Write, &[1]),
    by_input("SqlDataset", Act::Data, &[1]),
    by_input("TFRecordDataset", Act::Data, &[0]),
    by_input("TFRecordDatasetV2", Act::Data, &[0]),
    by_input("TFRecordReader", Act::Data, &[]),
    by_input("TFRecordReaderV2", Act::Data, &[]),
    by_input("TextLineDataset", Act::Data, &[0]),
    by_input("TextLineReader", Act::Data, &[]),
    by_input("TextLineReaderV2", Act::Data, &[]),
    by_input("TryRpc", Act::Network, &[]),
    by_input("WholeFileReader", Act::Data, &[]),
    by_input("WholeFileReaderV2", Act::Data, &[]),
    by_input("WriteFile", Act::Write, &[0]),
    by_input("XlaCustomCall", Act::Native, &[]),
    by_input("XlaCustomCallV2", Act::Native, &[]),
];

/// What an operator does besides computing.
pub(crate) fn effect(operator: &str) -> Option<&'static Effect> {
    let found = EFFECTS.binary_search_by(|effect| effect.operator.cmp(operator));
    found.ok().and_then(|place| EFFECTS.get(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator_is_found() {
        for known in EFFECTS {
            assert_eq!(effect(known.operator).unwrap().operator, known.operator);
        }
        assert!(effect("MatMul").is_none());
    }
}
