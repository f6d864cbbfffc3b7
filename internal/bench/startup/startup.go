// Package startup measures how a built Lambda function starts: the time from the start of
// its process to its first request for work, the memory that it has by then, and the size of
// its package. It stands in for the Lambda runtime API, so it needs no AWS account.
package startup

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/relight-aws/relight/internal/bench"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/release"
)

// next is the path with which a function asks for work. Source: Lambda Developer Guide,
// "Using the Lambda runtime API for custom runtimes", Next invocation.
const next = "/2018-06-01/runtime/invocation/next"

// patience is how long a function may take to ask for work.
const patience = 20 * time.Second

// A Program is a function as Lambda unpacks it.
type Program struct {
	Name   string
	Binary string   // path
	Env    []string // as os.Environ has it; AWS_LAMBDA_RUNTIME_API comes on top
}

// A Start is what one start of a function took.
type Start struct {
	ToPoll   time.Duration // from the start of the process to its first request for work
	Resident int64         // bytes of memory at that time
	Peak     int64         // the most until then
}

// Measure starts the programs one after the other, round after round, so that whatever
// else the machine does meets all of them alike. It returns the starts of each program by
// its name.
func Measure(ctx context.Context, programs []Program, rounds int) (map[string][]Start, error) {
	starts := map[string][]Start{}
	for round := range rounds + 1 {
		for _, p := range programs {
			s, err := Once(ctx, p)
			if err != nil {
				return nil, fmt.Errorf("start %s: %w", p.Name, err)
			}
			if round > 0 { // the first one reads the binary from the disk
				starts[p.Name] = append(starts[p.Name], s)
			}
		}
	}
	return starts, nil
}

// Once starts a program once, and ends it after its first request for work. It fails if
// the program ends before that, with what the program wrote.
func Once(ctx context.Context, p Program) (Start, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return Start{}, err
	}
	polled := make(chan time.Time, 1)
	api := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == next {
			select {
			case polled <- time.Now():
			default:
			}
			<-ctx.Done() // there is no work
		}
	})}
	go func() { _ = api.Serve(l) }() // which ends with the Close below
	defer func() { cancel(); _ = api.Close() }()

	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, p.Binary) //nolint:gosec // what was built for it
	cmd.Dir, cmd.Env = filepath.Dir(p.Binary), append(slices.Clip(p.Env), "AWS_LAMBDA_RUNTIME_API="+l.Addr().String())
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return Start{}, err
	}
	var exit error
	ended := make(chan struct{})
	go func() { exit = cmd.Wait(); close(ended) }()
	select {
	case at := <-polled:
		s := Start{ToPoll: at.Sub(began)}
		s.Resident, s.Peak, err = memory(cmd.Process.Pid)
		_ = cmd.Process.Kill()
		<-ended
		return s, err
	case <-ended:
		return Start{}, fmt.Errorf("it ended before it asked for work: %w: %s", errors.Join(exit, ctx.Err()), strings.TrimSpace(said.String()))
	}
}

// memory returns the resident memory of a process and the most that it has had, in bytes.
// Source: proc_pid_status(5), VmRSS and VmHWM.
func memory(pid int) (resident, peak int64, err error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the memory of a process, which needs Linux: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			resident = kib << 10
		case "VmHWM":
			peak = kib << 10
		}
	}
	return resident, peak, nil
}

// Median returns the median of each part of some starts.
func Median(starts []Start) Start {
	if len(starts) == 0 {
		return Start{}
	}
	of := func(part func(Start) int64) int64 {
		values := make([]int64, len(starts))
		for i, s := range starts {
			values[i] = part(s)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return Start{
		ToPoll:   time.Duration(of(func(s Start) int64 { return int64(s.ToPoll) })),
		Resident: of(func(s Start) int64 { return s.Resident }),
		Peak:     of(func(s Start) int64 { return s.Peak }),
	}
}

// Fastest returns the shortest time to the first poll of some starts: what else the machine
// does lengthens starts, and shortens none.
func Fastest(starts []Start) time.Duration {
	return slices.MinFunc(starts, func(a, b Start) int { return cmp.Compare(a.ToPoll, b.ToPoll) }).ToPoll
}

// Figures returns the figures of a program's median start, and how many times the start
// of the empty function it takes.
func Figures(name string, s, empty Start) []bench.Figure {
	round := func(v float64, unit float64) float64 { return float64(int64(v/unit+0.5)) * unit }
	at := "start/" + name + "/"
	return []bench.Figure{
		{Name: at + "to-first-poll", Value: round(float64(s.ToPoll)/float64(time.Millisecond)*100, 1) / 100, Unit: "ms"},
		{Name: at + "of-empty-function", Value: round(float64(s.ToPoll)/float64(empty.ToPoll)*100, 1) / 100, Unit: "times"},
		{Name: at + "resident", Value: round(float64(s.Resident)/(1<<20)*10, 1) / 10, Unit: "MiB"},
		{Name: at + "peak", Value: round(float64(s.Peak)/(1<<20)*10, 1) / 10, Unit: "MiB"},
	}
}

// Package returns the size of a function's package: the archive that is deployed, with the
// binary and its configuration.
func Package(binary string, config []byte) (int, error) {
	raw, err := os.ReadFile(binary) //nolint:gosec // what was built for it
	if err != nil {
		return 0, err
	}
	packed, err := release.Zip(release.Earliest, []release.File{
		{Name: "bootstrap", Mode: 0o755, Data: raw}, {Name: catalog.ConfigFile, Mode: 0o644, Data: config},
	})
	return len(packed), err
}

// Sorted returns figures by name.
func Sorted(figures []bench.Figure) []bench.Figure {
	return slices.SortedStableFunc(slices.Values(figures), func(a, b bench.Figure) int { return strings.Compare(a.Name, b.Name) })
}
