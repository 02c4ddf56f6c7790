

xPlaceholder

rownx
$
tTFText>FastWordpieceTokenizex



own
a
yRelua"Ú