Z
"serve*2.21.0)

xPlaceholder

yIdentityx"Ú2

a:0../../../etc/passwd