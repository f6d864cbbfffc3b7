package lab

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An Emulator is a running MiniStack process with an empty account.
//
// It enforces IAM. The access key of the account's root user is the account
// number and the secret is Secret; see Credentials.
type Emulator struct {
	URL     string // its address, on the loopback interface only
	Dir     string // state, log and scratch files; Stop removes it unless the caller chose it
	LogFile string

	token   string
	cmd     *exec.Cmd
	alive   io.Closer     // the launcher runs while this is open
	exited  chan struct{} // closed when the process has ended
	exitErr error
	ownDir  bool
	stop    sync.Once
}

// EmulatorOptions set how an Emulator starts.
type EmulatorOptions struct {
	Venv     string // Python virtual environment with requirements.txt installed; default ".venv"
	Dir      string // default: a new temporary directory
	Port     int    // default: any free port
	Account  string // default Account
	Region   string // region of unsigned calls; default Region
	Endpoint string // AWS_ENDPOINT_URL of the functions; default: the emulator itself
}

// startTimeout limits the wait until the emulator answers. It takes 1–3 s on an
// idle machine.
const startTimeout = 60 * time.Second

// stopGrace is how long the emulator has to end by itself.
const stopGrace = 3 * time.Second

// StartEmulator starts an emulator and waits until it answers; ctx limits the
// wait. The emulator runs until Stop, and never longer than this process.
func StartEmulator(ctx context.Context, o EmulatorOptions) (*Emulator, error) {
	o = o.withDefaults()
	venv, err := filepath.Abs(o.Venv) // the emulator has another working directory
	if err != nil {
		return nil, fmt.Errorf("start emulator: %w", err)
	}
	python := filepath.Join(venv, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		return nil, fmt.Errorf("no Python virtual environment at %s: make one with "+
			"`python3 -m venv %s && %s/bin/pip install -r requirements.txt`", o.Venv, o.Venv, o.Venv)
	}
	for try := 1; ; try++ {
		e, err := start(ctx, python, o)
		if err == nil {
			return e, nil
		}
		// Another process may take a free port before the emulator does.
		if o.Port != 0 || try == portTries || !strings.Contains(err.Error(), "already in use") {
			return nil, fmt.Errorf("start emulator: %w", err)
		}
	}
}

// portTries is how many free ports StartEmulator tries if the caller chose
// none.
const portTries = 3

func start(ctx context.Context, python string, o EmulatorOptions) (*Emulator, error) {
	e := &Emulator{Dir: o.Dir, token: rand.Text(), exited: make(chan struct{})}
	err := e.prepare(&o)
	if err == nil {
		err = e.run(python, o)
	}
	if err == nil {
		err = e.ready(ctx)
	}
	if err != nil {
		e.Stop()
		return nil, err
	}
	return e, nil
}

func (o EmulatorOptions) withDefaults() EmulatorOptions {
	set := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	set(&o.Venv, ".venv")
	set(&o.Account, Account)
	set(&o.Region, Region)
	return o
}

// prepare makes the directory and chooses the port.
func (e *Emulator) prepare(o *EmulatorOptions) (err error) {
	if o.Dir == "" {
		e.ownDir = true
		if e.Dir, err = os.MkdirTemp("", "lab-"); err != nil {
			return err
		}
	}
	if e.Dir, err = filepath.Abs(e.Dir); err != nil {
		return err
	}
	if o.Port == 0 {
		if o.Port, err = freePort(); err != nil {
			return err
		}
	}
	e.URL = "http://127.0.0.1:" + strconv.Itoa(o.Port)
	if o.Endpoint == "" {
		o.Endpoint = e.URL
	}
	e.LogFile = filepath.Join(e.Dir, "emulator.log")
	return errors.Join(
		os.MkdirAll(filepath.Join(e.Dir, "tmp"), 0o755),
		writeLauncher(filepath.Join(e.Dir, "launcher")),
	)
}

// freePort returns a port that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (e *Emulator) run(python string, o EmulatorOptions) error {
	logFile, err := os.Create(e.LogFile)
	if err != nil {
		return err
	}
	defer logFile.Close()
	e.cmd = exec.Command(python, filepath.Join(e.Dir, "launcher"))
	e.cmd.Stdout, e.cmd.Stderr = logFile, logFile
	e.cmd.Dir = e.Dir
	e.cmd.Env = e.environment(o)
	// The emulator gets its own process group, so that Stop also reaches the
	// functions that it runs.
	group(e.cmd)
	if e.alive, err = e.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := e.cmd.Start(); err != nil {
		return err
	}
	go func() {
		e.exitErr = e.cmd.Wait()
		close(e.exited)
	}()
	return nil
}

// environment returns everything that the emulator and its functions see of
// this process's environment: no credentials and no configuration of the
// caller's.
func (e *Emulator) environment(o EmulatorOptions) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + e.Dir,
		"TMPDIR=" + filepath.Join(e.Dir, "tmp"),
		"PYTHONDONTWRITEBYTECODE=1",
		"AUTH=true",
		"AWS_ACCESS_KEY_ID=" + o.Account,
		"AWS_SECRET_ACCESS_KEY=" + Secret,
		"AWS_ENDPOINT_URL=" + o.Endpoint,
		"BIND_HOST=127.0.0.1",
		"GATEWAY_PORT=" + strconv.Itoa(o.Port),
		"DOCKER_HOST=unix://" + filepath.Join(e.Dir, "no-docker"), // otherwise it would remove other people's containers
		"IOT_MTLS_ENABLED=0",                                      // it uses a fixed port, and two labs may run side by side
		"SFTP_ENABLED=0",
		"LOG_LEVEL=INFO",
		"MINISTACK_ACCOUNT_ID=" + o.Account,
		"MINISTACK_REGION=" + o.Region,
		"STATE_DIR=" + filepath.Join(e.Dir, "state"),
		"S3_DATA_DIR=" + filepath.Join(e.Dir, "s3"),
		"LAB_TOKEN=" + e.token,
	}
}

// ready waits until the emulator answers.
func (e *Emulator) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.URL+"/_ministack/ready", nil)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-e.exited:
			return fmt.Errorf("the emulator ended at once (%v); its last output: %s", e.exitErr, e.lastWords()) //nolint:errorlint // nil for exit code 0
		case <-ctx.Done():
			return fmt.Errorf("the emulator does not answer: %w; its last output: %s", ctx.Err(), e.lastWords())
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func (e *Emulator) lastWords() string {
	raw, err := os.ReadFile(e.LogFile)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(string(bytes.TrimSpace(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " | ")
}

// Exited returns a channel that is closed when the process has ended, by Stop
// or by itself.
func (e *Emulator) Exited() <-chan struct{} { return e.exited }

// Stop ends the emulator and every function that it runs, and returns when all
// have ended. It is safe to call more than once.
func (e *Emulator) Stop() {
	e.stop.Do(func() {
		if e.cmd != nil && e.cmd.Process != nil { // the process was started
			_ = interrupt(e.cmd) // it may have ended
			select {
			case <-e.exited:
			case <-time.After(stopGrace):
			}
			_ = kill(e.cmd) // functions survive a SIGTERM of their parent
			e.alive.Close()
			<-e.exited
		}
		if e.ownDir {
			os.RemoveAll(e.Dir)
		}
	})
}
