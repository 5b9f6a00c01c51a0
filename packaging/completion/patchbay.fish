# Completion of patchbay for fish. The program itself says what a word can become: core/cli/complete.h.
function __patchbay_complete
	set -l words (string replace -r '^~/' "$HOME/" -- (commandline -opc))
	set -l typed (commandline -ct)
	set -l lead '' # of --NAME=VALUE, of which fish completes the whole
	if string match -qr -- '^--[^=]*=' $typed
		set lead (string replace -r '=.*' '=' -- $typed)
		set -a words (string trim -r -c = -- $lead)
		set typed (string replace -r '^[^=]*=' '' -- $typed)
	end
	for line in ($words[1] complete $words[2..-1] "$typed" 2>/dev/null)
		switch $line
			case :files
				printf '%s\n' $lead(__fish_complete_path "$typed")
			case :folders
				printf '%s\n' $lead(__fish_complete_directories "$typed" '')
			case '*'
				printf '%s\n' $lead$line
		end
	end
end
complete -c patchbay -f -a '(__patchbay_complete)'
