# Functions of the scripts that run tests: end processes with everything that they started, and find a
# place for temporary files.

# Sets `found` to the descendants of this shell. It starts no process itself.
find_descendants() {
    local queue=("$$") file children
    found=()
    while [[ ${#queue[@]} -gt 0 ]]; do
        for file in /proc/"${queue[0]}"/task/*/children; do
            children=()
            { read -ra children <"$file"; } 2>/dev/null || true
            queue+=("${children[@]}")
            found+=("${children[@]}")
        done
        queue=("${queue[@]:1}")
    done
}

# Sets `started` to when a process started. Fails if it has ended, even if it waits to be reaped.
find_start() {
    local line fields
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
    read -ra fields <<<"${line##*) }"
    [[ ${fields[0]} != Z ]] || return 1
    started=${fields[19]}
}

# Sets `running` to those of `found` that still run. A number may meanwhile be that of another process, which
# started later.
find_running() {
    local process started
    running=()
    for process in "${found[@]}"; do
        ! find_start "$process" || [[ $started != "${starts[$process]-}" ]] || running+=("$process")
    done
}

# Ends all descendants of this shell. They are stopped first, so that none of them starts another process
# meanwhile, and killed if they still run after ten seconds.
end_descendants() {
    local found=() running=() count=-1 process started
    local -A starts=()
    while find_descendants && [[ ${#found[@]} -ne $count ]]; do
        count=${#found[@]}
        kill -STOP "${found[@]}" 2>/dev/null || true
    done
    [[ $count -gt 0 ]] || return 0
    for process in "${found[@]}"; do
        ! find_start "$process" || starts[$process]=$started
    done
    kill -TERM "${found[@]}" 2>/dev/null || true
    kill -CONT "${found[@]}" 2>/dev/null || true
    for _ in {1..100}; do
        find_running
        [[ ${#running[@]} -gt 0 ]] || return 0
        sleep 0.1
    done
    kill -KILL "${running[@]}" 2>/dev/null || true
}

# Whether files in memory have room for what the tests write.
has_memory() {
    [[ -d /dev/shm && -w /dev/shm ]] && [[ $(df --output=avail -B 1M /dev/shm | tail -n 1) -ge 3000 ]] &&
        [[ $(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo) -ge 6000 ]]
}
