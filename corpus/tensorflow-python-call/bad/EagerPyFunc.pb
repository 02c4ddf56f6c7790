

xPlaceholder
(
pEagerPyFuncx*
token
pyfunc_0"Ú