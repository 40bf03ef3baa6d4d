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

# Whether one of these processes runs; one that only waits to be reaped does not.
is_running() {
    local process line
    for process; do
        { read -r line <"/proc/$process/stat"; } 2>/dev/null || continue
        [[ ${line##*) } == Z* ]] || return 0
    done
    return 1
}

# Ends all descendants of this shell. They are stopped first, so that none of them starts another process
# meanwhile, and killed if they still run after ten seconds.
end_descendants() {
    local found=() count=-1
    while find_descendants && [[ ${#found[@]} -ne $count ]]; do
        count=${#found[@]}
        kill -STOP "${found[@]}" 2>/dev/null || true
    done
    [[ $count -gt 0 ]] || return 0
    kill -TERM "${found[@]}" 2>/dev/null || true
    kill -CONT "${found[@]}" 2>/dev/null || true
    for _ in {1..100}; do
        is_running "${found[@]}" || return 0
        sleep 0.1
    done
    kill -KILL "${found[@]}" 2>/dev/null || true
}

# Whether files in memory have room for what the tests write.
has_memory() {
    [[ -d /dev/shm && -w /dev/shm ]] && [[ $(df --output=avail -B 1M /dev/shm | tail -n 1) -ge 3000 ]]
}
