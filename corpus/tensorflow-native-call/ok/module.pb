

xPlaceholder

cXlaCallModulex"Ú