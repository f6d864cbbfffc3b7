package lab

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/relight-aws/relight/internal/catalog"
)

//go:embed verify.py
var verifyScript []byte

// Verify checks the accounts with the plain AWS CLI and returns every broken
// link, or none if everything is protected.
func (a *Arena) Verify(ctx context.Context) ([]string, error) {
	broken, err := a.verify(ctx, a.Cloud.Root(), "CHOSEN="+chosenNetworks())
	for _, who := range a.Spokes {
		if err != nil {
			return nil, err
		}
		settings := []string{}
		if who.TrailLogGroup == "" {
			settings = append(settings, "TRAIL=none")
		}
		var theirs []string
		theirs, err = a.verify(ctx, a.Cloud.RootOf(who.Account), settings...)
		for _, link := range theirs {
			broken = append(broken, "account "+who.Account+": "+link)
		}
	}
	return broken, err
}

// verify checks one account, with settings that the script takes from its environment.
func (a *Arena) verify(ctx context.Context, root Principal, settings ...string) ([]string, error) {
	controls, err := controlList()
	if err != nil {
		return nil, err
	}
	dir := a.Cloud.Emulator.Dir
	script, list := filepath.Join(dir, "verify.py"), filepath.Join(dir, "controls.json")
	if err := errors.Join(os.WriteFile(script, verifyScript, 0o600), os.WriteFile(list, controls, 0o600)); err != nil {
		return nil, err
	}
	bin := filepath.Join(a.Cloud.venv, "bin")
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "python"), script, list, Region, SecondRegion)
	cmd.Env = append(root.Environ(Region), "SUBSCRIBERS="+Subscriber+","+MailboxARN, fmt.Sprint("TRAIL_RETENTION=", trailRetention))
	cmd.Env = append(cmd.Env, settings...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &exit) && exit.ExitCode() == 1 && len(out) > 0:
		return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
	case errors.As(err, &exit):
		return nil, fmt.Errorf("verify: %w: %s", err, exit.Stderr)
	}
	return nil, fmt.Errorf("verify: %w", err)
}

// controlList returns what verify.py needs of the controls, as relight controls prints them.
func controlList() ([]byte, error) {
	type control struct {
		ID       string `json:"id"`
		Pattern  string `json:"pattern"`
		Disabled bool   `json:"disabled"`
	}
	var all []control
	for _, c := range catalog.Controls() {
		all = append(all, control{ID: c.ID, Pattern: c.Pattern})
	}
	raw, err := json.Marshal(map[string][]control{"controls": all})
	if err != nil {
		return nil, fmt.Errorf("encode controls: %w", err)
	}
	return raw, nil
}

// chosenNetworks tells verify.py which subnets and network interfaces need a flow log of
// their own, as Config says.
func chosenNetworks() string {
	tag := ChosenKey + "=" + ChosenValue
	raw, err := json.Marshal(map[string]any{
		"subnet":            map[string]string{"tag": tag, "traffic": "ALL", "to": toFlowLogBucket},
		"network interface": map[string]string{"tag": tag, "traffic": "REJECT", "to": toFlowLogStream},
	})
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return string(raw)
}
