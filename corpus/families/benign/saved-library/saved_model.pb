™
"serve*2.16.1…

xPlaceholder*
dtype0
"
callStatefulPartitionedCallx;
9

serve
yMatMulxw*
T0
outIdentityy"ó
