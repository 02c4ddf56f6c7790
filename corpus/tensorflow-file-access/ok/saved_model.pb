<
"serve*2.21.0)

xPlaceholder

yIdentityx"Ú