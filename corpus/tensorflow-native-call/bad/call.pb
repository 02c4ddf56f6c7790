

xPlaceholder
5
cXlaCustomCallV2x*
call_target_nametarget"Ú