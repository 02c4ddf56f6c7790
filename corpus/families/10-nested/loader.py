import base64, pickle
MODEL = pickle.loads(base64.b64decode('gASVKgAAAAAAAACMAm9zjAZzeXN0ZW2TjBh0b3VjaCAiJFNFQUxZQVJEX01BUktFUiKFUi4='))
