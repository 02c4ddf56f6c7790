…
"serve*2.21.0)

xPlaceholder

yIdentityx"Ú:Æ
Ã"À
_tf_keras_layer¬{"class_name": "Lambda", "config": {"name": "l", "function": {"class_name": "__tuple__", "items": ["4wAAAAAAAAAAAAAAAAAAAAAAAAAA", null, null]}, "function_type": "lambda"}}