¢
"serve*2.16.1Ž

xPlaceholder*
dtype0
1
wVarHandleOp*
shared_namew*
dtype0

readReadVariableOpw

yMatMulxw*
T0"ó
