
8
cImmutableConst*#
memory_region_name/etc/passwd"Ú