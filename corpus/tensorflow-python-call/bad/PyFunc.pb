

xPlaceholder
#
pPyFuncx*
token
pyfunc_0"Ú