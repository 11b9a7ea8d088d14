//! `harness plan`: from a goal to features in the list, with a person's word in between.

use harness_testkit::Server;

use crate::support::{
    CONFIG, Desk, FINISH, Live, TESTS, Terminal, endless, news, session, shell, write,
};

const GOAL: &str = "greet in more languages";
/// Three features: the second waits for the first, the third for the second.
const PROPOSE: &str = r#"{ tool = "propose", features = [ { title = "Greet in German", description = "A file of its own.\n- not a step", acceptance = ["src/de holds hallo"], steps = ["write it"] }, { title = "Greet in French", acceptance = ["src/fr holds bonjour"], depends_on = ["1"], scope = ["src/fr"], gates = ["test"], priority = 1 }, { title = "Greet in Dutch", acceptance = ["src/nl holds hallo"], depends_on = ["Greet in French"] } ] }"#;

/// One feature that may write wherever the repository allows it.
const PROPOSE_ANYWHERE: &str = r#"{ tool = "propose", features = [ { title = "Greet in German", acceptance = ["it says hallo"] } ] }"#;

/// A project whose list is this file.
fn desk(list: &str, text: &str) -> Desk {
    let config = format!("{CONFIG}\n[features]\nfile = \"{list}\"\n");
    Desk::with_files(&[
        ("harness.toml", &config),
        ("AGENTS.md", "# demo\n"),
        (list, text),
        ("src/answer", "42\n"),
        ("tests/run.sh", TESTS),
    ])
}

fn own() -> Desk {
    desk("feature_list.json", "{\"schema\":1,\"features\":[]}\n")
}

/// Plans unattended; the proposal waits.
fn plan(desk: &Desk) -> crate::support::Story {
    let script = desk.script(&session("The goal P-", &[PROPOSE]));
    desk.story(&["plan", GOAL, "--model", &script])
}

fn code(desk: &Desk, arguments: &[&str], code: i32) -> String {
    let run = desk.harness(arguments);
    assert_eq!(
        run.code, code,
        "{arguments:?}\n{}{}",
        run.stdout, run.stderr
    );
    format!("{}{}", run.stdout, run.stderr)
}

#[test]
fn what_nobody_looked_at_waits_and_is_taken_later() {
    let desk = own();
    desk.project.write("AGENTS.md", "# mine\n");
    let story = plan(&desk);
    story.assert_ended("needs_human", 5);
    let proposed = story.first("features_proposed");
    assert_eq!(proposed["proposal"], "P-0001");
    assert_eq!(proposed["features"][1]["after"].to_string(), "[1]");
    assert!(
        story.first("run_ended")["detail"]
            .to_string()
            .contains("harness plan --accept P-0001")
    );
    // Nothing was written, and nothing of the run is left in the repository.
    assert_eq!(desk.project.git(&["status", "--porcelain"]), " M AGENTS.md");
    assert_eq!(desk.project.git(&["branch", "--list", "harness/*"]), "");

    let shown = code(&desk, &["plan", "--show"], 0);
    assert!(
        shown.contains("P-0001 waiting") && shown.contains(" 3. Greet in Dutch"),
        "{shown}"
    );
    let refused = code(&desk, &["resume", "--last"], 5);
    assert!(refused.contains("waits for your word"), "{refused}");
    for wrong in ["9", "x", "1,2,3"] {
        code(&desk, &["plan", "--accept", "--without", wrong], 2);
    }
    let taken = code(&desk, &["plan", "--accept", "P-0001", "--without", "2"], 0);
    assert!(taken.contains("F-001 pending, Greet in German"), "{taken}");
    assert!(
        taken.contains("F-002 waits no longer for number 2"),
        "{taken}"
    );
    assert!(taken.contains("gate: test green"), "{taken}");
    assert!(
        taken.contains("git add feature_list.json progress.md"),
        "{taken}"
    );
    let list = desk.project.read("feature_list.json");
    assert!(
        !list.contains("French") && list.contains("Greet in Dutch"),
        "{list}"
    );
    let log = desk.project.read("progress.md");
    assert!(
        log.contains("S-0001 P-0001 planned") && log.contains(GOAL),
        "{log}"
    );
    // A second time there is nothing left to take.
    let again = code(&desk, &["plan", "--accept", "P-0001"], 2);
    assert!(again.contains("accepted already"), "{again}");
    assert_eq!(desk.project.read("AGENTS.md"), "# mine\n");
}

#[test]
fn each_shape_of_the_list_takes_all_of_it() {
    for (file, text, parts) in [
        (
            "feature_list.json",
            "{\"schema\":1,\"features\":[]}\n",
            ["\"F-002\"", "\"depends_on\""],
        ),
        (
            "bare.json",
            "[{\"category\":\"functional\",\"description\":\"Say hello\",\"steps\":[],\"passes\":true}]\n",
            ["Say hello", "Done when: src/fr holds bonjour"],
        ),
        (
            "prd.json",
            "{\"project\":\"x\",\"userStories\":[]}\n",
            ["\"acceptanceCriteria\"", "Writes only: src/fr"],
        ),
        (
            "TODO.md",
            "# Todo\n\nWords of a person.\n\n- [x] Say hello\n",
            ["Words of a person.", "Done when: src/de holds hallo"],
        ),
    ] {
        let desk = desk(file, text);
        // What a person has not committed yet stays.
        let mine = text.replace("Words of a person", "Other words of a person");
        desk.project.write(file, &mine);
        plan(&desk).assert_ended("needs_human", 5);
        code(&desk, &["plan", "--accept", "--no-check"], 0);
        let list = desk.project.read(file);
        for part in parts {
            assert!(
                list.contains(&part.replace("Words of", "words of")),
                "{file}: {part}\n{list}"
            );
        }
        let features = code(&desk, &["feature", "list"], 0);
        for title in ["Greet in German", "Greet in French", "Greet in Dutch"] {
            assert_eq!(features.matches(title).count(), 1, "{file}: {features}");
        }
        // Who begins a run is not told that something was changed by hand.
        assert!(!features.contains("changed by hand"), "{file}: {features}");
    }
}

#[test]
fn the_first_feature_that_was_planned_is_proven_by_a_run() {
    let desk = own();
    plan(&desk).assert_ended("needs_human", 5);
    code(&desk, &["plan", "--accept", "--without", "2,3"], 0);
    desk.project.commit_all("Plan");
    let script = desk.script(&session(
        "Greet in German",
        &[&write("src/de", "hallo\n"), FINISH],
    ));
    desk.story(&["run", "--model", &script])
        .assert_ended("all_passing", 0);
}

#[test]
fn an_agent_that_plans_writes_nothing_and_is_told_what_is_wrong() {
    let desk = own();
    let hostile = r#"{ tool = "propose", features = [ { title = "a", acceptance = ["b"], scope = ["../x"], status = "passing" } ] }"#;
    let wide = r#"{ tool = "propose", features = [ { title = "Red\u001b[31m", acceptance = ["b"], scope = ["docs/**"], gates = ["deploy"], depends_on = ["F-9"] } ] }"#;
    let turns = [
        &*shell("echo x > src/made; echo y > here; mkdir sub; true"),
        &write("src/made", "x"),
        FINISH,
        hostile,
        wide,
        PROPOSE,
    ];
    let server = Server::scripted(&session("The goal P-", &turns));
    desk.use_server(&server, "anthropic");
    let story = desk.story(&["plan", GOAL]);
    story.assert_ended("needs_human", 5);
    assert_eq!(desk.project.git(&["status", "--porcelain"]), "");
    let told: Vec<String> = server.received().iter().map(news).collect();
    let told = told.join("\n");
    for part in [
        "this session plans and changes nothing",
        "feature 1: unknown field `status`",
        "control characters",
        "`docs/**` of its scope lies outside",
        "there is no gate `deploy`",
        "there is no feature `F-9`",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(story.all("gate_started").is_empty(), "{story}");
    let first = server.received()[0].body.to_string().len();
    assert!(first < 9_000, "the first request has {first} bytes");
}

#[test]
fn a_kill_between_the_proposal_and_the_word_loses_nothing() {
    let desk = own();
    let think = "[[session.turn]]\nthink_ms = 3000";
    let script = session("The goal P-", &["Hm.", PROPOSE]);
    let script = format!("{}{}", script, "[[session.turn]]\ntext = \"Well.\"\n");
    let server = Server::scripted(&script.replacen("[[session.turn]]", think, 0));
    desk.use_server(&server, "chat");
    let mut live = Live::start(&desk, &["plan", GOAL]);
    assert!(live.wait_for("features_proposed", 1));
    live.kill();
    // It was kept before anybody was asked, or else the log has it and the session goes on.
    let shown = desk.harness(&["plan", "--show"]);
    if !shown.stdout.contains("P-0001 waiting") {
        desk.harness(&["resume", "--last", "--no-input"]);
    }
    code(&desk, &["plan", "--accept", "--no-check"], 0);
    let resumed = desk.harness(&["resume", "--last", "--no-input"]);
    assert_eq!(resumed.code, 2, "{}{}", resumed.stdout, resumed.stderr);
    let list = desk.project.read("feature_list.json");
    assert_eq!(list.matches("Greet in German").count(), 1, "{list}");
}

#[test]
fn a_person_takes_a_part_in_plain_lines_and_the_agent_hears_words_first() {
    let desk = own();
    let ask = r#"{ tool = "ask", text = "Which language first?" }"#;
    let script = desk.script(&session("The goal P-", &[ask, PROPOSE, PROPOSE]));
    let arguments = ["plan", GOAL, "--plain", "--model", &script];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, (120, 40));
    let pause = || std::thread::sleep(std::time::Duration::from_millis(600));
    terminal.wait_for("answer, or later:");
    terminal.press("German\n");
    terminal.wait_for("anything else tells the agent");
    pause();
    terminal.press("smaller, please\n");
    terminal.wait_until("the second question", |terminal| {
        terminal.screen().matches("anything else tells").count() == 2
            || terminal.screen().contains("no: smaller, please")
    });
    pause();
    pause();
    terminal.press("w 3\n");
    terminal.wait_for("run ended: answered, P-0001 accepted, 2 features added");
    assert_eq!(terminal.end(), 0);
    let list = desk.project.read("feature_list.json");
    assert!(
        list.contains("Greet in French") && !list.contains("Dutch"),
        "{list}"
    );
    let log = desk.project.read("progress.md");
    assert!(
        log.contains("asked: Which language first? Answer: German"),
        "{log}"
    );
}

#[test]
fn a_refused_proposal_adds_nothing() {
    let desk = own();
    let script = desk.script(&session("The goal P-", &[PROPOSE]));
    let arguments = ["plan", GOAL, "--plain", "--model", &script];
    let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, (120, 40));
    terminal.wait_for("anything else tells the agent");
    std::thread::sleep(std::time::Duration::from_millis(600));
    terminal.press("d\n");
    terminal.wait_for("run ended: interrupted, P-0001 refused, nothing added");
    assert_eq!(terminal.end(), 3);
    assert!(!desk.project.read("feature_list.json").contains("Greet"));
    let shown = code(&desk, &["plan", "--show", "P-0001"], 0);
    assert!(shown.contains("rejected"), "{shown}");
}

#[test]
fn a_goal_comes_from_a_file_or_from_standard_input_and_is_bounded() {
    let desk = own();
    let script = desk.script(&endless("The goal P-", &["Nothing to add."]));
    let goal = desk.project.outside().join("goal.txt");
    let path = goal.display().to_string();
    std::fs::write(&goal, format!("{GOAL}\nand more of it\n")).unwrap();
    let told = code(
        &desk,
        &[
            "plan",
            "--prompt-file",
            &path,
            "--no-input",
            "--model",
            &script,
        ],
        5,
    );
    assert!(told.contains("the agent proposed no features"), "{told}");
    std::fs::write(&goal, "x".repeat(20_000)).unwrap();
    code(
        &desk,
        &["plan", "--prompt-file", &path, "--model", &script],
        2,
    );
    std::fs::write(&goal, " \n").unwrap();
    code(
        &desk,
        &["plan", "--prompt-file", &path, "--model", &script],
        2,
    );
    code(&desk, &["plan", "--prompt-file", "missing.txt"], 2);
    code(&desk, &["plan", GOAL, "--prompt-file", &path], 2);
    code(&desk, &["plan", GOAL, "--accept"], 2);
    code(&desk, &["plan"], 2);
}

#[test]
fn a_red_base_is_told_and_stops_no_plan() {
    let desk = own();
    desk.project.write("tests/run.sh", "exit 1\n");
    desk.project.commit_all("red");
    code(&desk, &["trust", "--yes"], 0);
    let story = plan(&desk);
    story.assert_ended("needs_human", 5);
    let taken = code(&desk, &["plan", "--accept"], 0);
    assert!(
        taken.contains("not all gates are green: mend that first"),
        "{taken}"
    );
    assert!(taken.contains("F-003 pending"), "{taken}");
}

/// Runs a command in a terminal with an editor that does this to the file, and returns what it said.
fn edit(desk: &Desk, script: &str, code: u32) -> String {
    let editor = desk.project.outside().join("editor");
    std::fs::write(&editor, format!("{script}\n")).unwrap();
    let editor = format!("sh {}", editor.display());
    let mut terminal = Terminal::start_with(
        &desk.home,
        &desk.project.root(),
        &["plan", "--edit"],
        (160, 40),
        &[("EDITOR", &editor), ("VISUAL", " ")],
    );
    assert_eq!(terminal.end(), code, "{script}\n{}", terminal.screen());
    terminal.screen()
}

#[test]
fn what_an_editor_leaves_is_taken_whole_or_not_at_all() {
    let desk = own();
    plan(&desk);
    let shown = || code(&desk, &["plan", "--show"], 0);
    let first = shown();
    for (script, exit, words) in [
        ("true", 0, "P-0001 is as it was"),
        ("exit 3", 2, "exit status: 3; nothing was changed"),
        ("kill -9 $$", 2, "nothing was changed"),
        ("rm \"$1\"", 2, "the editor has left no file"),
        ("printf '\\377' > \"$1\"", 2, "the file is no UTF-8"),
        (
            "head -c 1100000 /dev/zero > \"$1\"",
            2,
            "the file is too large",
        ),
        (
            "echo '{ \"features\": [' > \"$1\"",
            2,
            "the proposal stays as it was",
        ),
        ("echo '{}' > \"$1\"", 2, "the proposal stays as it was"),
        (
            "sed -i 's/\"scope\": \\[\\]/\"scope\": [\"..\\/x\"]/' \"$1\"",
            2,
            "the proposal stays as it was",
        ),
    ] {
        let told = edit(&desk, script, exit);
        assert!(told.contains(words), "{script}\n{told}");
        assert_eq!(shown(), first, "{script}");
    }
    // What a person wrote and got wrong is theirs to mend.
    let told = edit(&desk, "echo 'hours of work' > \"$1\"", 2);
    let (_, path) = told.split_once("what you wrote is kept in ").unwrap();
    let path = path.split_whitespace().next().unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "hours of work\n");

    // An editor that writes a new file in the place of the old one.
    let told = edit(
        &desk,
        "sed 's/Greet in Dutch/Greet in Danish/' \"$1\" > \"$1.new\" && mv \"$1.new\" \"$1\"",
        0,
    );
    assert!(told.contains("P-0001 changed"), "{told}");
    code(&desk, &["plan", "--accept", "--no-check"], 0);
    let list = desk.project.read("feature_list.json");
    assert!(list.contains("Danish") && !list.contains("Dutch"), "{list}");

    // Nobody at a terminal, nothing to edit, no editor.
    assert!(code(&desk, &["plan", "--edit"], 5).contains("without a terminal"));
    let told = edit(&desk, "true", 2);
    assert!(told.contains("no proposal waits"), "{told}");
}

#[test]
fn the_configuration_is_written_on_a_yes_alone_and_the_plan_goes_on_either_way() {
    for (answer, is_written) in [("n\r", false), ("y\r", true)] {
        let project = harness_testkit::Project::with_files(&[
            ("Makefile", "test:\n\t@true\n"),
            ("src/answer", "42\n"),
        ]);
        let desk = Desk {
            home: harness_testkit::Home::new(crate::support::PROGRAM),
            project,
        };
        let script = desk.script(&session("The goal P-", &[PROPOSE_ANYWHERE]));
        let arguments = ["plan", GOAL, "--plain", "--model", &script];
        let mut terminal = Terminal::start(&desk.home, &desk.project.root(), &arguments, (120, 60));
        terminal.wait_for("There is no harness.toml. Write what was detected");
        // Everything that would be written is in sight.
        assert!(
            terminal.screen().contains("new file harness.toml"),
            "{}",
            terminal.screen()
        );
        terminal.press(answer);
        terminal.wait_for("Trust exactly this?");
        assert_eq!(
            desk.project.root().join("harness.toml").exists(),
            is_written
        );
        terminal.press("y\r");
        terminal.wait_for("anything else tells the agent");
        std::thread::sleep(std::time::Duration::from_millis(600));
        terminal.press("y\r");
        terminal.wait_for("run ended: answered");
        let hint = if is_written {
            "git add feature_list.json progress.md"
        } else {
            "`harness init --yes` writes harness.toml"
        };
        terminal.wait_for(hint);
        assert_eq!(terminal.end(), 0, "{}", terminal.screen());
        assert!(
            desk.project
                .read("feature_list.json")
                .contains("Greet in German")
        );
        assert_eq!(
            desk.project.root().join("harness.toml").exists(),
            is_written
        );
    }
}

#[test]
fn the_last_line_says_what_became_of_the_plan() {
    let desk = own();
    let script = desk.script(&session("The goal P-", &[PROPOSE]));
    let run = desk.harness(&["plan", GOAL, "--plain", "--model", &script]);
    assert!(
        run.stdout
            .contains("run ended: needs_human, P-0001 proposed, 3 features to look at, "),
        "{}",
        run.stdout
    );
    let silent = desk.script(&endless("The goal P-", &["Nothing to add."]));
    let run = desk.harness(&["plan", GOAL, "--plain", "--model", &silent]);
    assert!(
        run.stdout
            .contains("run ended: needs_human, P-0002 has no proposal, "),
        "{}",
        run.stdout
    );
}

#[test]
fn what_an_agent_asks_while_nobody_is_there_waits_and_the_answer_stands_in_the_proposal() {
    let desk = own();
    let ask = r#"{ tool = "ask", text = "Which language first?" }"#;
    let script = [
        session("The person answers: German", &[PROPOSE]),
        session("The goal P-", &[ask]),
    ]
    .concat();
    let server = Server::scripted(&script);
    desk.use_server(&server, "chat");
    desk.story(&["plan", GOAL]).assert_ended("needs_human", 5);
    let listed = code(&desk, &["answer"], 0);
    assert!(listed.contains("Q-0001, P-0001 in S-0001"), "{listed}");
    assert!(code(&desk, &["status"], 0).contains("Q-0001"));
    let way = code(&desk, &["answer", "German"], 0);
    assert!(
        way.contains("`harness resume S-0001` goes on") && !way.contains("a new `harness run`"),
        "{way}"
    );
    desk.story(&["resume", "--last"])
        .assert_ended("needs_human", 5);
    let shown = code(&desk, &["plan", "--show"], 0);
    assert!(
        shown.contains("asked: Which language first? you: German"),
        "{shown}"
    );
    code(&desk, &["plan", "--accept", "--no-check"], 0);
    let log = desk.project.read("progress.md");
    assert!(
        log.contains("asked: Which language first? Answer: German"),
        "{log}"
    );
}
