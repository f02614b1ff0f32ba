# Completion of via(1) for fish: options, words, gateways, and the command's own. It starts no Node.
# via(1) says where to install it, or source it.

# What the next word is, as via reads the ones before it: first, gateway, next, command, pids, or one of via's own words;
# then that word, or -; then whether a -- has ended the options; then where a command begins.
function __via_at
    set -l words run none status attach detach alias completion desktop sweep keep help version
    set -l place first
    set -l word -
    set -l ended no
    set -l option no
    set -l at 1
    for text in (commandline -opc)[2..-1]
        set at (math $at + 1)
        if test $option = yes
            set option no
        else if test "$text" = --
            if contains -- $place next none
                set place command
                break
            end
            contains -- $place first gateway; and set ended yes
        else if test $ended = no; and string match -qr -- '^-.' $text
            contains -- $text --ipv4 --ipv6 --firewall --elevate --user --shell; and set option yes
        else if test $place = first
            set place next
            if test $ended = no; and contains -- $text $words
                set word $text
                set place $text
                contains -- $text run attach desktop; and set place gateway
            end
        else if test $place = gateway
            set place next
            test $word = attach; and set place pids
            test $word = desktop; and set place apps
        else if contains -- $place next none
            set place command
            set at (math $at - 1)
            break
        end
    end
    test $option = no; and contains -- $place next none; and begin
        test $ended = yes; or not string match -q -- '-*' (commandline -ct)
    end; and set place command
    printf '%s\n' $place $word $ended (math $at + 1)
end

# Whether the current word may be one of these.
function __via_is
    contains -- (__via_at)[1] $argv
end

# Whether it may be an option of this kind.
function __via_takes
    set -l now (__via_at)
    test $now[3] = no; and test $now[1] != command; or return
    set -l launch first gateway next pids apps
    test $now[2] = attach; and contains -- "$argv" user become; and return 1
    test $now[2] = desktop; and contains -- "$argv" user become dry verbose; and return 1
    switch $argv
        case way
            contains -- $now[1] $launch
        case user mark
            contains -- $now[1] $launch none
        case become
            contains -- $now[1] $launch none
        case dry
            test $now[2] != attach; and contains -- $now[1] $launch none sweep
        case verbose
            contains -- $now[1] $launch none detach sweep
        case tree
            contains -- $now[2] attach detach
        case '*'
            test $argv = $now[2]
    end
end

# Whether it is the word right behind this one.
function __via_behind
    test (commandline -opc)[-1] = $argv
end

# Whether menu entries are to be removed, which needs no gateway.
function __via_removes
    test (__via_at)[2] = desktop; and contains -- --remove (commandline -opc)
end

function __via_words
    printf '%s\t%s\n' run 'run a command by a gateway, also one that is called like a word' \
        none 'run a command by the usual way' \
        status 'show which gateways are in use' \
        attach 'move running processes to a gateway' \
        detach 'move processes out of their groups' \
        alias 'make names for gateways' \
        completion 'print the completion for a shell' \
        desktop 'write menu entries that start applications by a gateway' \
        sweep 'remove what was left behind' \
        help 'show the options, or what a word does' \
        version 'print the version'
end

# The command's own completion.
function __via_command
    set -l at (__via_at)[4]
    set -l words (commandline -opc)
    set -l line (string join -- ' ' (string escape -- $words[$at..-1]) (commandline -ct))
    string match -q -- '-*' "$line"; or complete -C "$line"
end

# Next hops and devices, behind a comma the other half of a pair; of the names that a device can have, via takes no others.
function __via_gateways
    set -lx PATH $PATH /usr/sbin /sbin
    set -l typed (commandline -ct)
    string match -q -- '-*' $typed; and return
    set -l ahead ''
    if contains -- name $argv
        set ahead (string match -r -- '^[^=]*=' $typed); or return
        set typed (string replace -- $ahead '' $typed)
    end
    set -l devices (string replace -rf '^\s*([A-Za-z0-9_][A-Za-z0-9_.-]*):.*' '$1' </proc/net/dev | string match -v lo)
    if set -l address (string match -r -- '^.*%(?=[^,]*$)' $typed)
        printf '%s\tdevice\n' $ahead$address$devices
        return
    end
    set -l half (string match -r -- '^[^,]*,' $typed; or echo)
    test -n "$half"; or printf '%s\tdevice\n' $ahead$devices
    string match -qr '[^0-9a-f.:,][^,]*$' -- $typed; and return
    # Of a whole Internet table only the beginning.
    set -l lines (begin
        command ip neigh show; and command ip -4 route show table all; and command ip -6 route show table all
    end 2>/dev/null | command head -n 2000)
    # The route in table 7128 is none: via has it where main leads nowhere.
    set -l hops (string match -vr 'dead|linkdown|FAILED|table 7128' -- $lines |
        string replace -rf '(?:^|.*\s)via (?:inet6 )?([0-9a-f.:]+) dev (\S+).*' '$1 $2 router')
    set -a hops (string match -vr FAILED -- $lines |
        string replace -rf '^([0-9.]+|[0-9a-f:]+(?=.* router)) dev (\S+) lladdr .*' '$1 $2 neighbour')
    set -l done
    for line in $hops
        set -l hop (string split ' ' -- $line)
        string match -q '*:*' -- $half; and string match -q '*:*' -- $hop[1]; and continue
        string match -q '*.*' -- $half; and not string match -q '*:*' -- $hop[1]; and continue
        if string match -qr '^fe[89ab].:' -- $hop[1]
            contains -- $hop[2] $devices; or continue
            set hop[1] $hop[1]%$hop[2]
        end
        contains -- $hop[1] $done; and continue
        set -a done $hop[1]
        printf '%s\t%s on %s\n' $ahead$half$hop[1] $hop[3] $hop[2]
    end
end

# The ids of menu entries (Desktop Entry Specification, XDG Base Directory Specification).
function __via_apps
    set -l home $XDG_DATA_HOME
    test -n "$home"; or set home ~/.local/share
    set -l others (string split -n : -- "$XDG_DATA_DIRS")
    test -n "$others"; or set others /usr/local/share /usr/share
    path change-extension '' (path basename -- $home/applications/*.desktop $others/applications/*.desktop)
end

# Those that via has written, which are plain files with a key of its own.
function __via_entries
    set -l home $XDG_DATA_HOME
    test -n "$home"; or set home ~/.local/share
    set -l files $home/applications/*.desktop
    set -q files[1]; or return
    set -l plain (path filter -vt link -- $files | path filter -t file)
    path change-extension '' (path basename -- (command grep -ls '^X-Via-Gateway *=' /dev/null $plain))
end

# Processes that are in a group.
function __via_members
    for file in (command grep -lsE '/via-[0-9a-f]{8}-' /proc/*/cgroup)
        set -l pid (string match -rg '^/proc/([0-9]+)/' -- $file); or continue
        test -e /proc/$pid/comm; or continue
        read -l name </proc/$pid/comm
        printf '%s\t%s\n' $pid (string replace -ra '[^[:print:]]' '?' -- $name)
    end
end

complete -c via -f
complete -c via -n '__via_is first' -a '(__via_words)'
complete -c via -n '__via_is first gateway; and not __via_removes' -a '(__via_gateways)'
complete -c via -n '__via_is command' -a '(__via_command)'
complete -c via -n '__via_is pids' -a '(__fish_complete_pids)'
complete -c via -n '__via_is apps; and not __via_removes' -a '(__via_apps)'
complete -c via -n __via_removes -a '(__via_entries)'
complete -c via -n '__via_is detach' -a '(__via_members)'
complete -c via -n '__via_is alias' -a '(__via_gateways name)'
complete -c via -n '__via_is status; and __via_behind status' -a self -d 'the gateway that the caller is in'
complete -c via -n '__via_is help; and __via_behind help' -a '(__via_words)'
complete -c via -n '__via_is completion; and __via_behind completion' -a 'bash zsh fish'

complete -c via -n '__via_takes way' -l ipv4 -x -a 'refuse allow' -d 'IPv4, when the gateway has none'
complete -c via -n '__via_takes way' -l ipv6 -x -a 'refuse allow' -d 'IPv6, when the gateway has none'
complete -c via -n '__via_takes way' -l no-lan -d 'send what is for connected networks to the gateway too'
complete -c via -n '__via_takes mark' -l firewall -x -a 'auto nft iptables' -d 'what marks packets'
complete -c via -n '__via_takes mark' -l elevate -x -a 'auto sudo pkexec none' -d 'how to become root'
complete -c via -n '__via_takes user' -l user -x -a '(__fish_complete_users)' -d 'run the command as this user; for root'
complete -c via -n '__via_takes become' -s x -l exec -d 'become the command, as nice does: for what runs long'
complete -c via -n '__via_takes dry' -l dry-run -d 'print the changes as commands, change nothing'
complete -c via -n '__via_takes verbose' -s v -l verbose -d 'print each change as it is made'
complete -c via -n '__via_takes mark' -s q -l quiet -d 'no notes: on the gateway, or on work that goes elsewhere'
complete -c via -n 'not __via_is command' -s h -l help -d 'print how to use it'
complete -c via -n 'not __via_is command' -s V -l version -d 'print the version'
complete -c via -n '__via_takes tree' -l tree -d 'with all that they have started'
complete -c via -n '__via_takes status' -l json -d 'print it as JSON'
complete -c via -n '__via_takes alias' -l shell -x -a 'bash zsh fish sh' -d 'for this shell'
complete -c via -n '__via_takes desktop' -l replace -d "in the place of the application's own"
complete -c via -n '__via_takes desktop' -l remove -d 'remove them again'
complete -c via -n '__via_takes desktop' -l list -d 'print those there are'
