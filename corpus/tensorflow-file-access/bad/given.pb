

xPlaceholder

dTFRecordDatasetx"Ú