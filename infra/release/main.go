// The release command writes archives that a team uses without Go, Node.js or the CDK:
// the command line for each system, and CloudFormation templates with the packages of the
// functions. Their bytes depend only on the binaries and the configuration.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/relight-aws/relight/infra/stack"
	"github.com/relight-aws/relight/internal/catalog"
	"github.com/relight-aws/relight/internal/config"
	"github.com/relight-aws/relight/internal/release"
	"github.com/relight-aws/relight/internal/version"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

// howTo is the file in an archive with templates that says how to deploy them.
//
//go:embed README.md
var howTo []byte

// options say what to release.
type options struct {
	out, binaries, commands string
	config                  config.Config
	archs                   []stack.Arch
	at                      time.Time // of everything in an archive
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	if o.commands != "" {
		if err := o.writeCommands(); err != nil {
			return err
		}
	}
	defer jsii.Close()
	for _, arch := range o.archs {
		if err := o.writeTemplates(arch); err != nil {
			return err
		}
	}
	return release.Sums(o.out)
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("release", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "build/release", "the folder for the archives")
	f.StringVar(&o.binaries, "binaries", "build", "the folder with a folder of the functions' binaries for each architecture")
	f.StringVar(&o.commands, "commands", "", "the folder with a folder of the command line for each SYSTEM_PROCESSOR; none if empty")
	archs := f.String("arch", string(stack.ARM64), "the architectures of the functions, with commas between them")
	file := f.String("config", "", "the configuration; the default one if empty")
	epoch := f.String("epoch", "", "the time of all files, in seconds since 1970")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	for name := range strings.SplitSeq(*archs, ",") {
		arch, err := stack.ParseArch(name)
		if err != nil {
			return o, err
		}
		o.archs = append(o.archs, arch)
	}
	seconds, err := strconv.ParseInt(*epoch, 10, 64)
	if o.at = time.Unix(seconds, 0); err != nil || o.at.Before(release.Earliest) {
		return o, fmt.Errorf("-epoch %q is no time since %s", *epoch, release.Earliest.Format(time.DateOnly))
	}
	if *file == "" {
		o.config, err = config.Parse(nil)
	} else {
		o.config, err = config.Load(*file)
	}
	if err == nil && o.config.HomeRegion == "" && len(o.config.Regions) > 0 {
		err = errors.New("regions needs homeRegion: the templates of a forwarder name the home region")
	}
	return o, err
}

// archive returns the path of an archive of this version.
func (o options) archive(name string) string {
	return filepath.Join(o.out, "relight_"+version.String()+"_"+name)
}

// writeCommands writes an archive of the command line for each system.
func (o options) writeCommands() error {
	license, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	systems, err := os.ReadDir(o.commands)
	if err != nil {
		return err
	}
	for _, system := range systems {
		binary, ending, pack := "relight", ".tar.gz", release.TarGz
		if strings.HasPrefix(system.Name(), "windows_") {
			binary, ending, pack = "relight.exe", ".zip", release.Zip
		}
		raw, err := os.ReadFile(filepath.Join(o.commands, system.Name(), binary))
		if err != nil {
			return err
		}
		packed, err := pack(o.at, []release.File{{Name: binary, Mode: 0o755, Data: raw}, {Name: "LICENSE", Mode: 0o644, Data: license}})
		if err != nil {
			return err
		}
		if err := os.WriteFile(o.archive(system.Name()+ending), packed, 0o644); err != nil { //nolint:gosec // everybody may read a release
			return err
		}
	}
	return nil
}

// writeTemplates writes an archive of the templates and of the functions' packages for an
// architecture.
func (o options) writeTemplates(arch stack.Arch) error {
	code, err := os.MkdirTemp("", "relight-code-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(code)
	if err := stack.Stage(code, filepath.Join(o.binaries, string(arch)), o.config, arch); err != nil {
		return err
	}
	files := []release.File{{Name: "README.md", Mode: 0o644, Data: howTo}}
	plain := stack.Plain{Keys: map[catalog.Function]string{}}
	for _, f := range catalog.Binaries() {
		packed, err := pack(filepath.Join(code, string(f)))
		if errors.Is(err, fs.ErrNotExist) { // the configuration does not have it
			continue
		}
		if err != nil {
			return err
		}
		// CloudFormation updates a function only if its key changes.
		plain.Keys[f] = string(f) + "-" + release.Sum(packed)[:16] + ".zip"
		files = append(files, release.File{Name: "assets/" + plain.Keys[f], Mode: 0o644, Data: packed})
	}
	for folder, home := range o.homes() {
		templates, err := synth(stack.Props{Config: o.config, Home: home, Code: code, Arch: arch, Version: version.String(), Plain: &plain})
		if err != nil {
			return err
		}
		for _, f := range templates {
			f.Name = folder + "/" + f.Name
			files = append(files, f)
		}
	}
	packed, err := release.Zip(o.at, files)
	if err != nil {
		return err
	}
	return os.WriteFile(o.archive("cloudformation_"+string(arch)+".zip"), packed, 0o644) //nolint:gosec // everybody may read a release
}

// elsewhere stands for every home region of its partition but the one that gets the
// events of global services: the templates name no home region.
const elsewhere = "eu-west-1"

// homes returns for each folder of templates the home region whose rules they have.
func (o options) homes() map[string]string {
	if o.config.HomeRegion != "" {
		return map[string]string{o.config.HomeRegion: o.config.HomeRegion}
	}
	global := catalog.GlobalRegion(elsewhere)
	return map[string]string{global: global, "other-regions": elsewhere}
}

// pack returns the package of a function, from the folder of its files. Its time is fixed:
// its name has its checksum, which has to change only if the files do.
func pack(dir string) ([]byte, error) {
	var files []release.File
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		files = append(files, release.File{Name: e.Name(), Mode: info.Mode().Perm(), Data: raw})
	}
	return release.Zip(release.Earliest, files)
}

// synth returns the templates of the stacks.
func synth(p stack.Props) ([]release.File, error) {
	out, err := os.MkdirTemp("", "relight-templates-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(out)
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false), Outdir: jsii.String(out)})
	stack.Add(app, p)
	app.Synth(nil)
	found, err := filepath.Glob(filepath.Join(out, "*.template.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(found)
	var files []release.File
	for _, path := range found {
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, release.File{Name: filepath.Base(path), Mode: 0o644, Data: raw})
	}
	return files, nil
}
