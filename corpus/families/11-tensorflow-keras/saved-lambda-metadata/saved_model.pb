7
"serve*2.16.1$

xPlaceholder*
dtype0"ó
