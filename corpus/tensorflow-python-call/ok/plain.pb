

xPlaceholder

yIdentityx"Ú