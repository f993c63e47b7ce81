"""The columns of every table that is read: their names, what clinics call them, and their units."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from core.clinical.fields import BY_NAME, Field

Meaning = Literal["name", "file", "box", "split", "probability", "binary", "event", "number", "choice", "date"]

ALIASES: dict[str, str] = {
    "patient_id": "patient patientid pid id study_id subject subject_id case case_id caseid pseudonym patient_no "
    "patient_number patienten_id patientennummer patienten_nr patientin pat_id pat_nr pat_nummer fallnummer fall_nr "
    "fall_id pseudonyme identifiant identifiant_patient "
    "identifiant_patiente identifiant_de_la_patiente "
    "id_patient numero_patient paciente id_paciente identificador identificador_paciente 患者 患者编号 "
    "病例号 编号 病人编号 id_del_paciente codigo_paciente codigo_del_paciente numero_de_paciente patiente id_patiente "
    "id_du_patient id_de_la_patiente n_patient numero_de_patient identifiant_du_patient "
    "n_patiente n_historia no_historia n_historia_clinica no_historia_clinica numero_historia nhc "
    "record_id participant_id participant subjid usubjid subject_number subject_no subject_nr case_no case_number "
    "pseudo_id pseudonym_id pseudonym_nr ptid patid patientnr patient_nr fallnr studien_id studiennummer mrn "
    "codice_paziente numero_paziente 患者id 病人id 病历号",
    "centre": "center hospital site institution clinic zentrum klinik krankenhaus standort centre_hospitalier hopital "
    "etablissement centro hospital_name clinica 中心 医院 机构",
    "image": "file filename file_name path image_path image_file image_name image_filename bild bilddatei datei "
    "dateiname fichier nom_fichier fichier_image imagen archivo archivo_imagen 图像 文件 文件名 图片",
    "box": "roi bbox lesion_box bounding_box laesionsbox lasionsbox boite boite_englobante caja 病灶框",
    "split": "set dataset partition cohort subset fold_set aufteilung teilmenge jeu ensemble conjunto particion "
    "数据集 分组",
    "y": "ki67_high ki_67_high high_ki67 high_ki_67 label outcome truth ki67_status ki_67_status ki67_group target "
    "ki67_hoch ki_67_hoch zielgroesse ki67_eleve ki67_alto resultado 标签 结局 ki67状态 ki_67状态",
    "ki67_pct": "ki67 ki_67 ki_67_pct ki67_percent ki_67_percent ki67_index ki_67_index ki67_li mib1 mib_1 "
    "proliferation_index ki67_prozent ki_67_prozent proliferationsindex ki67_pourcentage ki67_porcentaje ki67指数",
    "prob": "probability proba predicted_prob pred_prob y_prob estimated_probability prob_high probability_high "
    "predicted_probability prediction predicted pred risk prob_combined p_high p_hat score_prob "
    "wahrscheinlichkeit vorhersage probabilite prediction_modele probabilidad prediccion 概率 预测概率 预测值",
    "lnm": "node_metastasis nodal_metastasis lymph_node_metastasis ln_metastasis lymph_nodes nodal_status node_status "
    "lymphknotenmetastase lymphknotenmetastasen lymphknotenbefall lymphknotenstatus lymphknoten nodalstatus "
    "metastase_ganglionnaire ganglions metastasis_ganglionar ganglios "
    "淋巴结转移",
    "aln_suspicious": "aln_us axillary_ultrasound axillary_us axilla_us axillasonographie axilla_sonographie "
    "echographie_axillaire ecografia_axilar axilla_auffaellig axilla_auffallig axilla_suspekt aln_suspekt "
    "lk_suspekt lk_auffaellig lk_auffallig axillaerer_lk_suspekt axillarer_lk_suspekt lymphknoten_suspekt "
    "lymphknoten_auffaellig lymphknoten_auffallig ganglion_suspect ganglions_suspects ganglio_sospechoso "
    "ganglios_sospechosos ganglion_axillaire_suspect ganglions_axillaires_suspects axila_sospechosa "
    "ganglios_axilares_sospechosos 腋窝超声 腋窝淋巴结可疑",
    "rfs_months": "rfs_time rfs follow_up followup follow_up_time followup_time time survival_time time_to_event dfs "
    "dfs_time ddfs drfs efs recurrence_free_survival nachbeobachtung nachbeobachtungszeit rezidivfreies_ueberleben "
    "rezidivfreies_uberleben monate_bis_rezidiv zeit suivi duree_suivi survie_sans_recidive tiempo seguimiento "
    "supervivencia supervivencia_libre_recidiva 随访 随访时间 无复发生存期 生存时间",
    "rfs_event": "rfs_status recurrence recurred relapse event event_status dfs_event dfs_status ddfs_event distmet "
    "status rezidiv rezidiv_ja_nein ereignis recidive rechute evenement recidiva recurrencia recaida evento "
    "复发 事件 复发状态",
    "age": "age_at_diagnosis age_at_exam patient_age age_at_surgery alter alter_bei_diagnose patientenalter "
    "age_au_diagnostic edad edad_al_diagnostico 年龄",
    "menopausal": "menopause menopausal_status menopause_status menopausenstatus menopausalstatus statut_menopausique "
    "estado_menopausico menopausia 绝经 绝经状态 月经状态",
    "palpable": "palpability palpable_mass tastbar tastbarkeit tastbefund palpabel palpation palpabilidad 可触及 触诊",
    "size_mm": "size tumor_size tumour_size tumsize lesion_size us_size max_diameter diameter largest_diameter "
    "tumorgroesse tumorgrosse groesse grosse durchmesser taille taille_tumeur taille_tumorale diametre tamano "
    "tamano_tumor diametro 大小 肿瘤大小 最大径 直径",
    "adler": "adler_grade adler_grad blood_flow_grade grade_adler grado_adler adler分级 血流分级",
    "birads": "bi_rads birads_category bi_rads_category birads_kategorie acr bi_rads分类 birads分类 "
    "bi_rads分级 birads分级 acr_bi_rads classification_bi_rads clasificacion_bi_rads "
    "categoria_bi_rads bi_rads_klassifikation",
    "histology": "histological_type histologic_type histologie type_histologique histologia tipo_histologico "
    "病理类型 组织学类型",
    "grade_cnb": "grade histological_grade nottingham_grade tumor_grade grading g grade_histologique grado 组织学分级",
    "er_pct": "er er_percent estrogen_receptor oestrogen_receptor er_prozent oestrogenrezeptor ostrogenrezeptor "
    "recepteurs_estrogenes re_pct receptor_estrogeno 雌激素受体",
    "pr_pct": "pr pgr pr_percent progesterone_receptor pr_prozent progesteronrezeptor recepteurs_progesterone "
    "receptor_progesterona 孕激素受体",
    "her2": "her2_status her2_neu her_2 her_2_status erbb2 her2状态",
    "ki67_cnb_pct": "ki67_core ki67_cnb ki67_biopsy ki_67_biopsy ki67_stanze ki67_biopsie ki67_biopsia 穿刺ki67",
    "image_device": "device scanner ultrasound_device manufacturer_model geraet gerat ultraschallgeraet appareil "
    "echographe equipo ecografo 设备 超声仪",
    "ki67_cutoff": "cutoff cut_off ki67_cut_off ki_67_cutoff schwellenwert",
    "ki67_laboratory": "laboratory lab labor laboratoire laboratorio 实验室",
    "ki67_antibody": "antibody clone antikoerper antikorper klon anticorps anticuerpo 抗体",
    "last_followup": "last_follow_up last_contact date_of_last_follow_up date_of_last_contact letzte_nachsorge "
    "datum_letzte_nachsorge datum_der_letzten_nachsorge dernier_suivi date_du_dernier_suivi date_dernieres_nouvelles "
    "date_des_dernieres_nouvelles ultimo_seguimiento fecha_ultimo_seguimiento fecha_del_ultimo_seguimiento 末次随访 "
    "末次随访日期",
    "exam_date": "examination_date date_of_examination study_date untersuchungsdatum us_datum "
    "datum_der_untersuchung date_examen date_de_l_examen fecha_examen fecha_estudio 检查日期",
    "accession": "accession_number accession_no accession_nr accessionnummer auftragsnummer untersuchungsnummer "
    "numero_accession numero_d_acces numero_examen numero_acceso numero_de_acceso numero_estudio 检查号 登记号",
    "ca153": "ca15_3 ca_15_3 糖类抗原153",
    "laterality": "side seite cote lado 侧别 左右",
    "ki67_specimen": "specimen specimen_type type_of_specimen praeparat praparat entnahmeart art_der_entnahme "
    "prelevement type_de_prelevement muestra tipo_de_muestra 标本 标本类型",
    "neoadjuvant": "neoadjuvant_therapy neoadjuvant_treatment neoadjuvant_chemotherapy nact neoadjuvante_therapie "
    "neoadjuvante_chemotherapie traitement_neoadjuvant chimiotherapie_neoadjuvante neoadyuvancia 新辅助治疗 新辅助化疗",
    "nodes_positive": "positive_nodes positive_lymph_nodes positive_lymphknoten ganglions_positifs ganglios_positivos "
    "阳性淋巴结数",
    "nodes_removed": "nodes_examined removed_nodes entfernte_lymphknoten ganglions_preleves ganglios_extirpados",
    "pn": "pn_stage pn_category pn分期",
    "pt": "pt_stage pt_category pt分期",
}
NOT_COMPUTED = {
    "delayed entry": "delayed_entry late_entry left_truncation entry_time entry_months entry_date time_entry tstart "
    "start_time time_start truncation_time left_trunc left_truncated truncation ltrunc age_at_entry eintrittszeit "
    "temps_d_entree tiempo_de_entrada",
    "weights": "weights case_weight case_weights sample_weight sample_weights sampling_weight sampling_weights "
    "survey_weight survey_weights ipw iptw ipcw inverse_probability_weight propensity_weight iptw_weight iptw_weights "
    "ipw_weight ipw_weights ipcw_weight weight_iptw weight_ipw stabilized_weight stabilised_weight gewichtung "
    "fallgewicht poids_de_sondage ponderation ponderacion 权重",
    "numbers of patients": "freq frequency frequencies n_patients number_of_patients patients_n n_patienten "
    "anzahl_patienten haeufigkeit haufigkeit effectif frecuencia numero_de_pacientes 频数 频率",
}
"""Names of columns that would change every figure, and that no figure here takes into account."""
UNIT_WORDS: dict[str, str] = {
    "percent": "% pct percent per_cent prozent pourcent pourcentage por_ciento porcentaje 百分比 百分率",
    "fraction": "fraction proportion anteil fraccion 0_1",
    "days": "days day d tage tagen tag t jours jour j dias dia 天 日",
    "weeks": "weeks week wk wks wochen woche semaines semanas 周",
    "months": "months month mo mon mths monate monaten monat mois meses mes 月 个月",
    "years": "years year y yr yrs jahre jahren jahr ans an annees anos ano 年 岁",
    "mm": "mm millimeter millimetre millimetres 毫米",
    "cm": "cm centimeter centimetre zentimeter 厘米",
}
UNITS: dict[str, str] = {word: unit for unit, words in UNIT_WORDS.items() for word in words.split()}
FACTORS: dict[str, dict[str, float]] = {
    "percent": {"percent": 1.0, "fraction": 100.0},
    "fraction": {"fraction": 1.0, "percent": 0.01},
    "months": {"months": 1.0, "days": 12 / 365.25, "weeks": 84 / 365.25, "years": 12.0},
    "mm": {"mm": 1.0, "cm": 10.0},
    "cm": {"cm": 1.0, "mm": 0.1},
}
UNIT_OF = {"%": "percent", "months": "months", "mm": "mm", "cm": "cm"}


@dataclass(frozen=True)
class Column:
    """One column that tables may have.

    Parameters
    ----------
    name : str
        Name here.
    label : str
        What a reader sees.
    meaning : str
        How its cells are read.
    group : str
        Where it stands in lists: "needed", "models", "outcomes", "patients".
    unit : str
        Unit that its values are kept in; "" if it has none to choose from.
    field : Field or None
        Its row of the data dictionary: levels and range.
    """

    name: str
    label: str
    meaning: Meaning
    group: str
    unit: str = ""
    field: Field | None = None

    @property
    def units(self) -> tuple[str, ...]:
        """Units that a file may use."""
        return tuple(FACTORS.get(self.unit, ()))


OWN = (
    Column("patient_id", "Patient", "name", "needed"),
    Column("image", "Image file", "file", "needed"),
    Column("prob", "Probability of high Ki-67", "probability", "needed", "fraction"),
    Column("y", "High Ki-67 (yes or no)", "binary", "needed"),
    Column("ki67_pct", BY_NAME["ki67_pct"].label, "number", "needed", "percent", BY_NAME["ki67_pct"]),
    Column("split", "Part of the data (train, validation, test, external)", "split", "needed"),
    Column("centre", "Centre", "name", "needed"),
    Column("box", "Lesion box (x0, y0, x1, y1 in pixels)", "box", "needed"),
    Column("lnm", "Lymph node metastasis (yes or no)", "binary", "outcomes"),
    Column("rfs_months", "Recurrence-free survival", "number", "outcomes", "months", BY_NAME["rfs_months"]),
    Column("rfs_event", "Recurrence (yes or no)", "event", "outcomes"),
    Column("ki67_cutoff", "Cut-off that the laboratory reports", "number", "outcomes", "percent", BY_NAME["ki67_pct"]),
    Column("ki67_laboratory", "Laboratory of the surgical Ki-67", "name", "outcomes"),
    Column("ki67_antibody", "Antibody of the surgical Ki-67", "name", "outcomes"),
    Column("accession", "Accession number of the study", "name", "patients"),
    Column("input_sha256", "Hash of what the network saw", "name", "patients"),
    Column("interval_low", "Lower end of the estimate's interval", "probability", "patients", "fraction"),
    Column("interval_high", "Upper end of the estimate's interval", "probability", "patients", "fraction"),
    Column("gate", "Verdict of the gate", "name", "patients"),
    Column("views", "Lesion boxes of the views", "name", "patients"),
)


def _describe(field: Field) -> Column:
    binary = set(field.levels) in ({"yes", "no"}, {"negative", "suspicious"})
    meanings: dict[str, Meaning] = {"text": "name", "integer": "number", "date": "date", "number": "number"}
    meaning: Meaning = "binary" if binary else meanings.get(field.kind, "choice")
    return Column(field.name, field.label, meaning, "patients", UNIT_OF.get(field.unit, ""), field)


COLUMNS: dict[str, Column] = {column.name: column for column in OWN}
COLUMNS |= {name: _describe(field) for name, field in BY_NAME.items() if name not in COLUMNS}


def simplify_name(name: str) -> str:
    """Write a column's name in small letters without accents, with one underscore for all but letters and digits."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.strip().casefold()) if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", "_", plain).strip("_")


KNOWN: dict[str, str] = {alias: name for name, aliases in ALIASES.items() for alias in aliases.split()}
KNOWN |= {name: name for name in COLUMNS}
KNOWN_NAMES = frozenset(KNOWN)
LONGEST_HEAD = 300  # a longer one is a text, and what takes heads apart needs the square of its length


@dataclass(frozen=True)
class Title:
    """What the head of a column says.

    Parameters
    ----------
    name : str
        Simplified name, without unit and coding.
    unit : str
        Unit that it states; "" if none.
    coding : dict of str to str
        Code to meaning, as "1 = no, 2 = yes" states it.
    """

    name: str
    unit: str
    coding: dict[str, str]


def read_title(head: str) -> Title:
    """Take a column's head apart: "Ki-67 (%)", "follow-up [days]", "y (1=no, 2=yes)".

    Parameters
    ----------
    head : str
        As it stands in the file.

    Returns
    -------
    Title
        Name, unit and coding.
    """
    if len(head) > LONGEST_HEAD:
        return Title(simplify_name(head), "", {})
    unit, rest = "", head
    coding: dict[str, str] = {}
    for part in re.findall(r"[(\[{（【]([^)\]}）】]*)[)\]}）】]", head):
        codes = _read_coding(part)
        stated = UNITS.get(part.strip()) or UNITS.get(simplify_name(part), "")
        if codes or stated:
            rest = rest.replace(part, " ")
            coding, unit = coding | codes, unit or stated
    if not coding and ("=" in rest):
        first = re.split(r"[\s:,;]+(?=\S+\s*=)", rest, maxsplit=1)
        if len(first) == 2 and (codes := _read_coding(first[1])):
            rest, coding = first[0], codes
    if "%" in rest:
        unit = unit or "percent"
    name = simplify_name(rest)
    stem, _, last = name.rpartition("_")
    unit = unit or UNITS.get(last, "") if stem else unit
    if name not in KNOWN and stem and last in UNITS:
        name = stem
    name = name.removesuffix("_in") or name
    return Title(name, unit, coding)


def _read_coding(text: str) -> dict[str, str]:
    text = text.replace(">=", "≥").replace("<=", "≤")
    pairs = re.findall(r"([^\s,;/=:|]+)\s*[=:]\s*([^,;/=:|]+?)\s*(?=$|[,;/|]|\s\S+\s*[=:])", text.strip())
    coding = {code.strip(): meaning.strip() for code, meaning in pairs}
    is_turned = all(meaning.isdecimal() and not code.isdecimal() for code, meaning in coding.items())
    return {meaning: code for code, meaning in coding.items()} if is_turned else coding
