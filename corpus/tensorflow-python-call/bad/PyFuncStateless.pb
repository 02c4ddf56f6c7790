

xPlaceholder
,
pPyFuncStatelessx*
token
pyfunc_0"Ú