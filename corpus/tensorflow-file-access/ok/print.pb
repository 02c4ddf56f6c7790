

xPlaceholder
*
pPrintV2x*
output_streamstderr"Ú