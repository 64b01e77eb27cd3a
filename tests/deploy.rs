//! Every file of `deploy/` is read by the tool that will read it in production, as far as it is installed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use longboard_scenarios::{program, root};
use serde::Deserialize;
use serde_yaml_ng::Value;
use tempfile::TempDir;

fn deploy(file: &str) -> PathBuf {
    root().join("deploy").join(file)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn documents(file: &str) -> Vec<Value> {
    serde_yaml_ng::Deserializer::from_str(&read(&deploy(file)))
        .map(|document| Value::deserialize(document).unwrap_or_else(|error| panic!("{file}: {error}")))
        .collect()
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}. Run tests/run, which installs it"))
}

#[test]
fn compose_names_what_it_uses() {
    let compose = documents("compose.yaml").remove(0);
    let services = compose["services"].as_mapping().unwrap();
    let volumes = compose["volumes"].as_mapping().unwrap();
    for (name, service) in services {
        let name = name.as_str().unwrap();
        let needs = match &service["depends_on"] {
            Value::Mapping(map) => map.keys().cloned().collect(),
            Value::Sequence(list) => list.clone(),
            _ => Vec::new(),
        };
        for need in needs {
            assert!(services.contains_key(&need), "{name} depends on {need:?}, which is no service");
        }
        for volume in service["volumes"].as_sequence().into_iter().flatten().filter_map(Value::as_str) {
            let source = volume.split(':').next().unwrap();
            if let Some(file) = source.strip_prefix("./") {
                assert!(deploy(file).exists(), "{name} mounts {source}, which does not exist");
            } else if !source.starts_with('$') {
                assert!(volumes.contains_key(source), "{name} mounts {source}, which is no volume");
            }
        }
        assert!(!service["image"].is_null() || !service["<<"].is_null(), "{name} has no image");
    }
    let example = read(&deploy("environment.example"));
    for variable in regex::Regex::new(r"\$\{([A-Z_]+):\?").unwrap().captures_iter(&read(&deploy("compose.yaml"))) {
        assert!(example.contains(&format!("{}=", &variable[1])), "environment.example lacks {}", &variable[1]);
    }
}

#[test]
fn compose_is_accepted_by_compose() {
    let present =
        Command::new("docker").args(["compose", "version"]).output().is_ok_and(|output| output.status.success());
    if !present {
        eprintln!("SKIPPED compose_is_accepted_by_compose: no compose command here");
        return;
    }
    let mut command = Command::new("docker");
    command.args(["compose", "-f"]).arg(deploy("compose.yaml")).args(["config", "--quiet"]);
    for variable in ["POSTGRES_PASSWORD", "LONGBOARD_PUBLIC_URL", "LONGBOARD_WORKER_TOKEN", "LONGBOARD_TLS_DIR"] {
        command.env(variable, "x");
    }
    let output = run(&mut command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn kubernetes_objects_fit_together() {
    let objects = documents("kubernetes/longboard.yaml");
    let secrets = documents("kubernetes/secret.example.yaml");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut seen = BTreeSet::new();
    for object in objects.iter().chain(&secrets) {
        let (kind, name) = (text(&object["kind"]), text(&object["metadata"]["name"]));
        assert!(!text(&object["apiVersion"]).is_empty() && !kind.is_empty() && !name.is_empty(), "{object:?}");
        assert!(kind == "Namespace" || text(&object["metadata"]["namespace"]) == "longboard", "{kind} {name}");
        assert!(seen.insert(format!("{kind}/{name}")), "{kind}/{name} stands twice");
    }
    for object in &objects {
        let pod = &object["spec"]["template"]["spec"];
        if text(&object["kind"]) == "Deployment" {
            assert_eq!(object["spec"]["selector"]["matchLabels"], object["spec"]["template"]["metadata"]["labels"]);
            assert_eq!(pod["securityContext"]["runAsNonRoot"], Value::Bool(true));
        }
        for container in pod["containers"].as_sequence().into_iter().flatten() {
            for source in container["envFrom"].as_sequence().into_iter().flatten() {
                assert!(seen.contains(&format!("Secret/{}", text(&source["secretRef"]["name"]))));
            }
        }
        if text(&object["kind"]) == "ScaledObject" {
            assert!(seen.contains(&format!("Deployment/{}", text(&object["spec"]["scaleTargetRef"]["name"]))));
            assert_eq!(text(&object["spec"]["triggers"][0]["metadata"]["valueLocation"]), "longboard_queue_depth");
        }
    }
}

#[test]
fn nginx_accepts_the_proxy() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let certificate = run(Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=longboard"])
        .args(["-keyout", &path("privkey.pem"), "-out", &path("fullchain.pem")]));
    assert!(certificate.status.success());
    let configuration = read(&deploy("proxy/nginx.conf"))
        .replace("server server:8080;", "server 127.0.0.1:8080;")
        .replace("/etc/nginx/tls", &folder.path().display().to_string())
        // Debian's nginx 1.22 knows HTTP/2 only as a parameter of `listen`.
        .replace("        http2 on;\n", "")
        .replace("listen 443 ssl;", "listen 443 ssl http2;");
    std::fs::write(path("nginx.conf"), format!("pid {};\nerror_log stderr;\n{configuration}", path("nginx.pid")))
        .unwrap();
    let output = run(Command::new("/usr/sbin/nginx").args(["-t", "-c", &path("nginx.conf")]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn systemd_accepts_the_units() {
    let folder = TempDir::new().unwrap();
    // The units are checked for form; any program serves as the one they start.
    let worker = program("longboard-worker").display().to_string();
    for unit in ["longboard.service", "longboard-worker@.service"] {
        let text = read(&deploy("systemd").join(unit)).replace("/usr/local/bin/longboard-worker", &worker);
        let text = text.replace("/usr/local/bin/longboard ", &format!("{worker} "));
        // EnvironmentFile is the operator's; the account is made by the operator too.
        let text = text.replace("User=longboard\n", "User=nobody\n").replace("Group=longboard\n", "Group=nogroup\n");
        std::fs::write(folder.path().join(unit.replace('@', "@1")), text).unwrap();
    }
    for unit in ["longboard.service", "longboard-worker@1.service"] {
        let output = run(Command::new("systemd-analyze")
            .args(["verify", "--man=no", "--recursive-errors=no"])
            .arg(folder.path().join(unit)));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{unit}: {said}");
    }
}

#[test]
fn the_container_builds_what_the_workspace_has() {
    let containerfile = read(&deploy("Containerfile"));
    let manifest: toml::Value = toml::from_str(&read(&root().join("Cargo.toml"))).unwrap();
    let rust = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    assert!(containerfile.contains(&format!("rust:{rust}-")), "the image's Rust differs from rust-version {rust}");
    for name in ["longboard-server", "longboard-worker"] {
        assert!(containerfile.contains(&format!("-p {name}")));
    }
    assert!(containerfile.contains("USER 10001"));
}
