// Package lab runs an AWS account on this machine: the MiniStack emulator
// behind a tap that records API calls as CloudTrail does.
package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/relight-aws/relight/internal/lab/tap"
)

// The lab's account. The access key of its root user is the account number.
const (
	Account = "111122223333"
	Region  = "us-east-1"
	Secret  = "test"
)

// A Cloud is an AWS account on this machine with a single endpoint.
type Cloud struct {
	Endpoint string // the value of AWS_ENDPOINT_URL, for people and functions alike
	Tap      *tap.Tap
	Emulator *Emulator

	venv   string
	server *http.Server
	close  func() error
}

// Options set how a Cloud starts.
type Options struct {
	Venv string // Python virtual environment with requirements.txt installed; default ".venv"
	Dir  string // state and logs, kept; default: a temporary directory that Close removes
	Port int    // of Endpoint; default: any free port

	Checkout string         // of what Open deploys: root of the checkout; default: that of the working directory
	Config   map[string]any // of what Open deploys: changes to the lab's configuration
	Accounts int            // of what Open makes: how many accounts, from 1 to MaxAccounts; default: 1
}

// Start starts a Cloud and waits until it answers. The Cloud runs until Close,
// or until ctx ends.
func Start(ctx context.Context, o Options) (*Cloud, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(o.Port)))
	if err != nil {
		return nil, fmt.Errorf("start the local cloud: %w (another port may be free)", err)
	}
	c := &Cloud{venv: cmp.Or(o.Venv, ".venv"), Endpoint: "http://" + l.Addr().String()}
	c.Emulator, err = StartEmulator(ctx, EmulatorOptions{Venv: o.Venv, Dir: o.Dir, Endpoint: c.Endpoint})
	if err != nil {
		l.Close()
		return nil, err
	}
	upstream, err := url.Parse(c.Emulator.URL)
	if err != nil {
		l.Close()
		c.Emulator.Stop()
		return nil, err
	}
	c.Tap = tap.New(upstream, c.Emulator)
	c.server = &http.Server{Handler: c.Tap, ReadHeaderTimeout: 10 * time.Second}
	go c.server.Serve(l)
	c.close = sync.OnceValue(c.shutdown)
	context.AfterFunc(ctx, func() { _ = c.close() }) // Close returns the error again
	return c, nil
}

// closeTimeout limits how long Close waits for events to reach their buses.
const closeTimeout = 5 * time.Second

// Close stops everything that Start started. Its error lists the tap's
// failures: replies that never came, and events that no bus accepted.
func (c *Cloud) Close() error { return c.close() }

func (c *Cloud) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	c.server.Close()
	err := errors.Join(c.Tap.Close(ctx), errors.Join(c.Tap.Errs()...))
	c.Emulator.Stop() // last: by now no caller needs a call that this interrupts
	return err
}
