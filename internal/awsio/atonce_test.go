package awsio

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/relight-aws/relight/internal/remedy"
)

// Reads are made at once. Whichever fails first in time, the first in order is reported,
// after all are over.
func TestAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := 0
		read := func(took time.Duration, err error) func() error {
			return func() error {
				time.Sleep(took)
				over++ // the bubble's time makes one read end at a time
				return err
			}
		}
		late, early := errors.New("late"), errors.New("early")
		begin := time.Now()
		err := atOnce(read(time.Second, nil), read(3*time.Second, late), read(2*time.Second, early))
		if took := time.Since(begin); !errors.Is(err, late) || took != 3*time.Second || over != 3 {
			t.Errorf("%v after %s and %d reads, want %v after 3s and 3", err, took, over, late)
		}
	})
}

// A read that panics does so where its caller can recover, with the stack of the read.
func TestAtOncePanics(t *testing.T) {
	defer func() {
		p, ok := recover().(remedy.Panic)
		if !ok || p.String() != "crafted" || !strings.Contains(string(p.Stack), "TestAtOncePanics") {
			t.Errorf("%v %s", p, p.Stack)
		}
	}()
	_ = atOnce(func() error { return nil }, func() error { panic("crafted") })
	t.Error("it did not panic")
}
