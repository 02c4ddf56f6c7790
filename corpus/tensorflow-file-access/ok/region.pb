
B
cImmutableConst*-
memory_region_namememmapped_package://w"Ú