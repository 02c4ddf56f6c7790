

xPlaceholder

rRunShellCommandx"Ú