# Completion of patchbay for bash. The program itself says what a word can become: core/cli/complete.h.
_patchbay()
{
	local -a words=("${COMP_WORDS[@]:1:COMP_CWORD}")
	local word
	words=("${words[@]//[\"\'\\]/}") # as they are without their quotes
	words=("${words[@]/#~\//"$HOME/"}")
	COMPREPLY=()
	while IFS=$'\t' read -r word _; do
		case $word in
		:files) compopt -o default ;;
		:folders) compopt -o dirnames ;;
		*) printf -v "COMPREPLY[${#COMPREPLY[@]}]" %q "$word" ;;
		esac
	done < <("${1/#~\//"$HOME/"}" complete "${words[@]}" 2>/dev/null)
}
complete -F _patchbay patchbay
