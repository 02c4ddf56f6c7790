]
"serve*2.16.1J

xPlaceholder*
dtype0
$
pyPyFuncx*
token
pyfunc_0"ó
